import { describe, expect, it } from '@jest/globals';
import { KeptExchanges, MOST_KEPT } from './kept-exchanges.ts';
import type { Kept } from './traffic-answers.ts';

let last = 0;

function kept(given: Partial<Kept> = {}): Kept {
  last += 1;
  return {
    id: `id-${last}`,
    traceId: 'f'.repeat(32),
    at: new Date(last).toISOString(),
    outcome: 'refused',
    method: 'GET',
    path: '/',
    host: 'a.test',
    route: 'users',
    status: 429,
    ms: 1,
    client: '192.0.2.1',
    reason: 'because',
    explain: 'GET /',
    ...given,
  };
}

describe('KeptExchanges', () => {
  it('keeps 50 refused ones of a route, the newest', () => {
    const all = new KeptExchanges();
    for (let i = 0; i < 200; i += 1) all.keep(kept({ id: `n-${i}` }));
    expect(all.size).toBe(50);
    expect(all.list()[0]?.id).toBe('n-199');
    expect(all.list().at(-1)?.id).toBe('n-150');
  });

  it('is bounded, and a flood over many routes pushes out what there is most of', () => {
    const all = new KeptExchanges();
    all.keep(kept({ id: 'quiet', route: 'quiet' }));
    for (let i = 0; i < 20_000; i += 1) all.keep(kept({ route: `flooded-${i % 300}` }));
    expect(all.size).toBe(MOST_KEPT);
    expect(all.find('quiet')).toBeDefined();
  });

  it('keeps the ten slowest of a route, and tells how slow one has to be', () => {
    const all = new KeptExchanges();
    const floors = Array.from({ length: 12 }, (_, ms) => all.keep(kept({ outcome: 'slow', ms })));
    expect(floors.slice(8)).toEqual([undefined, 0, 1, 2]);
    expect(all.list({ outcome: 'slow' }).map(({ ms }) => ms)).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
  });

  it('lets slow ones go after ten minutes, so that others can be the slowest', () => {
    let now = 0;
    const all = new KeptExchanges(() => now);
    all.keep(kept({ outcome: 'slow', route: 'a' }));
    now = 601_000;
    all.keep(kept({ outcome: 'slow', route: 'b' }));
    expect([...all.look()]).toEqual(['a']);
    expect(all.list().map(({ route }) => route)).toEqual(['b']);
  });

  it('lets nobody replace what is kept of another request by its id', () => {
    const all = new KeptExchanges();
    all.keep(kept({ id: 'same', path: '/first' }));
    all.keep(kept({ id: 'same', path: '/second' }));
    expect(all.find('same')?.path).toBe('/first');
    expect(all.list({ q: 'same' })).toHaveLength(2);
  });

  it('finds by route, outcome, client, operation and text', () => {
    const all = new KeptExchanges();
    all.keep(kept({ id: 'a', route: 'one', client: '192.0.2.7' }));
    all.keep(kept({ id: 'b', outcome: 'failed', principal: 'ada' }));
    all.keep(kept({ id: 'c', outcome: 'sample', operation: 'query Home', rule: 'gateway.yaml:12:5' }));
    const ids = (filter: Parameters<typeof all.list>[0]): string[] => all.list(filter).map(({ id }) => id);
    expect(ids({ route: 'one' })).toEqual(['a']);
    expect(ids({ outcome: 'failed' })).toEqual(['b']);
    expect(ids({ client: '192.0.2.7' })).toEqual(['a']);
    expect(ids({ client: 'ada' })).toEqual(['b']);
    expect(ids({ operation: 'query Home' })).toEqual(['c']);
    expect(ids({ q: 'YAML:12' })).toEqual(['c']);
  });

  it('keeps a bounded number of waterfalls; what they were of stays', () => {
    const all = new KeptExchanges();
    const waterfall = [
      {
        name: 'a.b',
        sort: 'section' as const,
        parent: null,
        startMs: 0,
        durationMs: 1,
        outcome: 'ok',
        failed: false,
      },
    ];
    for (let i = 0; i < 400; i += 1) all.keep(kept({ route: `r${i}`, waterfall }));
    expect(all.size).toBe(400);
    expect(all.list().filter((one) => one.waterfall !== undefined)).toHaveLength(300);
  });
});
