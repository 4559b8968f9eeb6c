import { describe, expect, it } from '@jest/globals';
import { continueTrace, randomHex, traceparentOf } from './trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('continueTrace', () => {
  it.each([
    ['sampled', `00-${TRACE}-${SPAN}-01`, '01'],
    ['not sampled', `00-${TRACE}-${SPAN}-00`, '00'],
    ['of a later version', `01-${TRACE}-${SPAN}-01`, '01'],
    ['of a later version, with more', `cc-${TRACE}-${SPAN}-01-what-the-future-brings`, '01'],
    ['with flags that have no meaning yet', `00-${TRACE}-${SPAN}-ff`, '03'],
  ])('continues a trace %s', (_, traceparent, flags) => {
    const trace = continueTrace(traceparent, 'vendor=1');
    expect(trace).toMatchObject({ traceId: TRACE, parentId: SPAN, flags, state: 'vendor=1' });
    expect(trace.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(trace.spanId).not.toBe(SPAN);
  });

  it.each([
    ['nothing', undefined],
    ['an empty value', ''],
    ['other words', 'hello'],
    ['the forbidden version', `ff-${TRACE}-${SPAN}-01`],
    ['version 00 with more', `00-${TRACE}-${SPAN}-01-more`],
    ['a later version with something glued on', `01-${TRACE}-${SPAN}-01.more`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['a short trace', `00-${TRACE.slice(1)}-${SPAN}-01`],
    ['a short span', `00-${TRACE}-${SPAN.slice(1)}-01`],
    ['missing flags', `00-${TRACE}-${SPAN}`],
    ['long flags', `00-${TRACE}-${SPAN}-011`],
    ['a version of one digit', `0-${TRACE}-${SPAN}-01`],
    ['letters beyond f', `00-${TRACE.replace('4', 'g')}-${SPAN}-01`],
    ['two of them', `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
    ['a line feed', `00-${TRACE}-${SPAN}-01\n`],
  ])('starts a trace for %s, and drops the state', (_, traceparent) => {
    const trace = continueTrace(traceparent, 'vendor=1');
    expect(trace).toMatchObject({ parentId: undefined, state: undefined, flags: '01' });
    expect(trace.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(trace.traceId).not.toBe(TRACE);
  });
});

describe('traceparentOf', () => {
  it('hands the same trace on with our span as the parent', () => {
    const trace = continueTrace(`00-${TRACE}-${SPAN}-00`, undefined);
    expect(traceparentOf(trace)).toBe(`00-${TRACE}-${trace.spanId}-00`);
  });
});

describe('randomHex', () => {
  it('never repeats itself, across the edges of its pool', () => {
    const values = Array.from({ length: 2000 }, () => randomHex(32));
    expect(new Set(values).size).toBe(values.length);
    expect(values.every((value) => /^[0-9a-f]{32}$/.test(value))).toBe(true);
  });
});
