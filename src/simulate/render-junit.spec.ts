import { expect, it } from '@jest/globals';
import { renderJunit } from './render-junit.ts';
import type { ShownResult } from './results.ts';

const test = (more: Partial<ShownResult>): ShownResult => ({
  name: 'a',
  file: 'a.yaml',
  line: 3,
  passed: true,
  ms: 1500,
  failures: [],
  ...more,
});

it('says each file as a suite, and whatever texts hold as XML', () => {
  const failure = { key: 'expect.body', at: 'a.yaml:5:7', expected: '<"a" & b>', received: '\u0000\ud800\n' };
  const tests = [
    test({ name: 'it <fails>', passed: false, failures: [failure] }),
    test({ name: 'it stops', passed: false, error: 'gone' }),
    test({ file: 'b.yaml' }),
  ];
  const routes = { all: 1, tested: 1, untested: [] };
  expect(renderJunit({ tests, passed: 1, failed: 2, routes, madeUp: [] })).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="a.yaml" tests="2" failures="1" errors="1" time="3.000">
    <testcase name="it &lt;fails&gt;" classname="a.yaml" file="a.yaml" line="3" time="1.500">
      <failure message="expect.body: expected &lt;&quot;a&quot; &amp; b&gt;, received ��&#10;">expect.body a.yaml:5:7&#10;expected: &lt;&quot;a&quot; &amp; b&gt;&#10;received: ��&#10;</failure>
    </testcase>
    <testcase name="it stops" classname="a.yaml" file="a.yaml" line="3" time="1.500">
      <error message="gone"/>
    </testcase>
  </testsuite>
  <testsuite name="b.yaml" tests="1" failures="0" errors="0" time="1.500">
    <testcase name="a" classname="b.yaml" file="b.yaml" line="3" time="1.500"/>
  </testsuite>
</testsuites>
`);
}); // prettier-ignore
