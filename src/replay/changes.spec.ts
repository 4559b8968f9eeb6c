import { describe, expect, it } from '@jest/globals';
import { differencesOf, Groups, noiseOf, type Difference } from './changes.ts';
import type { Outcome } from './outcome.ts';

const outcome = (more: Partial<Outcome> = {}, request: Readonly<Record<string, string>> = { line: 'GET /' }): Outcome => ({
  route: 'a',
  decision: 'forward',
  upstream: 'it (1)',
  request: new Map(Object.entries(request)),
  ...more,
}); // prettier-ignore
const kindsOf = (differences: readonly Difference[]): readonly string[] =>
  differences.map(({ kind, what }) => `${kind}: ${what}`);
const NONE: ReadonlySet<string> = new Set();

describe('differences', () => {
  it('are none between equal outcomes', () => {
    expect(differencesOf(outcome(), outcome(), NONE)).toEqual([]);
  });

  it('come by kind, the gravest first, with the route of the old configuration', () => {
    const now = outcome({ route: 'b', decision: '403', upstream: 'other (1)' }, { line: 'GET /b', 'header x': '1' });
    const found = differencesOf(outcome(), now, NONE);
    expect(kindsOf(found)).toEqual(['route: a → b', 'decision: forward → 403', 'upstream: it (1) → other (1)', 'request: line', 'request: header x']);
    expect(found.at(-1)).toMatchObject({ route: 'a', from: '(none)', to: '1' });
  }); // prettier-ignore

  it('leave out what differs by itself, and what is sent by one of both alone', () => {
    const now = outcome({}, { line: 'GET /', 'header id': '2' });
    expect(differencesOf(outcome(), now, new Set(['header id']))).toEqual([]);
    expect(kindsOf(differencesOf(outcome(), outcome({ decision: '403' }, {}), NONE))).toEqual([
      'decision: forward → 403',
    ]);
  });
});

it('noise is what differs although nothing has changed', () => {
  expect(noiseOf(outcome({}, { a: '1', b: '2' }), outcome({}, { a: '1', b: '3', c: '4' }))).toEqual([
    'b',
    'c',
  ]);
});

describe('groups', () => {
  const difference = (what: string, kind: Difference['kind'] = 'request', route = 'a'): Difference => ({ kind, route, what, from: 'x', to: 'y' }); // prettier-ignore
  const example = { request: 'GET /', line: 2 };

  it('count differences of one cause, and keep the first example', () => {
    const groups = new Groups();
    groups.add(difference('line'), example);
    groups.add(difference('line'), { request: 'GET /other', line: 3 });
    expect(groups.sorted).toEqual([{ ...difference('line'), count: 2, example }]);
  });

  it('are sorted by kind, then by how many there are, then by route', () => {
    const groups = new Groups();
    for (const one of [
      difference('line', 'request', 'b'),
      difference('line', 'request', 'a'),
      difference('line', 'request', 'c'),
      difference('line', 'request', 'c'),
      difference('x → y', 'route', 'z'),
    ])
      groups.add(one, example);
    expect(groups.sorted.map(({ route }) => route)).toEqual(['z', 'c', 'a', 'b']);
  });

  it('are bounded; what comes beyond is counted', () => {
    const groups = new Groups();
    for (let index = 0; index < 1200; index += 1) groups.add(difference(`header ${index}`), example);
    groups.add(difference('header 0'), example);
    expect([groups.sorted.length, groups.left]).toEqual([1000, 200]);
    expect(groups.sorted[0]).toMatchObject({ what: 'header 0', count: 2 });
  });
});
