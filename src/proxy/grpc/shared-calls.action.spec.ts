import { describe, expect, it } from '@jest/globals';
import type { AnswerSink } from '../../exchange/answer-sink.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import type { Problem } from '../../problems/problem.ts';
import type { RouteAction } from '../../routing/route-action.ts';
import type { Route } from '../../routing/route.ts';
import { SharedCallsAction } from './shared-calls.action.ts';

function told(
  weights: { readonly first: number; readonly second: number; readonly nobody: number },
  calls: number,
): Record<string, number> {
  const counts: Record<string, number> = {};
  const count = (name: string): void => void (counts[name] = (counts[name] ?? 0) + 1);
  const actionOf = (target: string): RouteAction => ({
    kind: 'passGrpc',
    target,
    answer: () => count(target),
  });
  const action = new SharedCallsAction(actionOf('a'), weights.first, [
    { weight: weights.second, action: actionOf('b') },
    { weight: weights.nobody, action: undefined },
  ]);
  const sink = { fail: ({ code }: Problem) => count(code) } as unknown as AnswerSink;
  for (let call = 0; call < calls; call += 1) action.answer({} as Exchange, {} as Route, sink);
  expect(action.target).toBe(`a ${weights.first} | b ${weights.second} | nobody ${weights.nobody}`);
  return counts;
}

describe('SharedCallsAction', () => {
  it('has each take its share, and refuses that of nobody', () => {
    expect(told({ first: 1, second: 3, nobody: 2 }, 12)).toEqual({ a: 2, b: 6, 'upstream-missing': 4 });
  });

  it('refuses all where nobody has a weight', () => {
    expect(told({ first: 0, second: 0, nobody: 0 }, 2)).toEqual({ 'upstream-missing': 2 });
  });
});
