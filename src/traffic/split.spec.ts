import { describe, expect, it } from '@jest/globals';
import type { Exchange } from '../exchange/exchange.ts';
import { Flows } from '../telemetry/flows.ts';
import { noteSplit, splitOf } from './split.ts';

function watched(parts: Readonly<Record<string, number>>): Exchange {
  const all = Object.entries(parts).map(([name, ms]) => ({ name, ms }));
  return { startedAt: 0, timings: { parts: () => all } } as unknown as Exchange;
}

describe(splitOf, () => {
  it('is the mean over all that were watched; what has no place of its own is of stages, and the total of none', () => {
    const flow = new Flows().of('route', 'users');
    noteSplit(
      flow,
      watched({ queue: 1, authenticate: 2, handle: 3, upstream: 10, serialize: 4, total: 20 }),
      20,
    );
    noteSplit(flow, watched({ upstream: 20, total: 20 }), 20);
    expect(splitOf(flow)).toEqual({ queue: 0.5, stages: 2.5, upstream: 15, body: 2, watched: 2 });
  });

  it('has the time before in it, and is null where none was watched', () => {
    const flow = new Flows().of('route', 'users');
    expect([splitOf(flow), splitOf(undefined)]).toEqual([null, null]);
    noteSplit(flow, { startedAt: 0, timings: undefined } as unknown as Exchange, 5);
    expect(splitOf(flow)).toBeNull();
    noteSplit(flow, watched({ upstream: 4 }), 4);
    flow.splitBefore = flow.split;
    flow.split = undefined;
    noteSplit(flow, watched({ upstream: 8 }), 8);
    expect(splitOf(flow)).toMatchObject({ upstream: 6, watched: 2 });
  });
});
