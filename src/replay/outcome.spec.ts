import { describe, expect, it } from '@jest/globals';
import type { Explanation } from '../explain/explanation.ts';
import { outcomeOf } from './outcome.ts';

/** What is told of a request, as far as a test says it. */
const told = (more: object = {}): Explanation =>
  ({
    match: { route: { id: 'a' } },
    policies: [],
    requests: [],
    action: { kind: 'forward' },
    ...more,
  }) as unknown as Explanation;
const target = (name: string, why = 'can be called') => ({ target: name, why }); // prettier-ignore

describe('the decision of an outcome', () => {
  it.each([
    ['a refusal', { refused: { status: 403, code: 'permission-denied', by: 'authorization' } }, '403 permission-denied by authorization'],
    ['an answer', { answered: { by: 'cors', what: 'a preflight' } }, 'answered by cors: a preflight'],
    ['an action', {}, 'forward'],
    ['a side', { side: { name: 'canary', why: 'weight' } }, 'forward (canary)'],
    ['nothing', { action: undefined }, 'nothing'],
    [
      'policies that nobody can tell of',
      { policies: [{ policy: 'rateLimit', does: 'depends', isMet: true }, { policy: 'quota', does: 'depends', isMet: false }] },
      'forward, depends on rateLimit',
    ],
  ])('tells %s', (_, more, decision) => {
    expect(outcomeOf(told(more)).decision).toBe(decision);
  }); // prettier-ignore
});

describe('the upstream of an outcome', () => {
  it('names targets that could have a turn, whoever has it', () => {
    const targets = [target('b'), target('a', 'not its turn'), target('c', 'not in the subset'), target('d', 'on the canary side')];
    const requests = [{ upstream: { name: 'it', targets } }, { name: 'more', upstream: { name: 'other', targets: [] } }];
    expect(outcomeOf(told({ requests })).upstream).toBe('it (a, b); more: other ()');
    expect(outcomeOf(told()).upstream).toBe('none');
  }); // prettier-ignore
});

describe('the requests of an outcome', () => {
  it('are told part by part, each by its name', () => {
    const sent = { line: 'GET / HTTP/1.1', headers: [['X-A', '1'], ['x-a', '2']], body: { bytes: 3 } };
    const requests = [{ sent }, { sent: { ...sent, headers: [], body: { json: '{}' } } }, { name: 'c', sent: { line: 'l', headers: [] } }, {}];
    expect([...outcomeOf(told({ requests })).request]).toEqual([
      ['line', 'GET / HTTP/1.1'],
      ['header x-a', '1, 2'],
      ['body', '3 bytes'],
      ['1: line', 'GET / HTTP/1.1'],
      ['1: body', '{}'],
      ['c: line', 'l'],
    ]);
    expect(outcomeOf(told({ match: {} })).route).toBe('none');
  }); // prettier-ignore
});
