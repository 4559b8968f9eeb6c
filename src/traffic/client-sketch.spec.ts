import { describe, expect, it } from '@jest/globals';
import { ClientSketch, MOST_CLIENTS, type ClientNote } from './client-sketch.ts';

function note(given: Partial<ClientNote>): ClientNote {
  return { client: 'a', kind: 'address', route: 'users', weight: 1, isRefused: false, ...given };
}

describe('ClientSketch', () => {
  it('is bounded, and whoever asks most is in it', () => {
    const sketch = new ClientSketch();
    for (let i = 0; i < 50_000; i += 1) {
      sketch.note(note({ client: `stranger-${i}` }));
      if (i % 20 === 0) sketch.note(note({ client: 'busy' }));
    }
    expect(sketch.size).toBe(MOST_CLIENTS);
    const busy = sketch.all().find(({ client }) => client === 'busy');
    expect(busy?.requests).toBeGreaterThanOrEqual(2500);
    expect((busy?.requests ?? 0) - (busy?.error ?? 0)).toBeLessThanOrEqual(2500);
  });

  it('tells the routes apart that are asked for most, eight of each caller', () => {
    const sketch = new ClientSketch();
    for (let i = 0; i < 1000; i += 1)
      sketch.note(note({ route: i % 2 === 0 ? 'main' : `r${i}`, isRefused: i % 10 === 0 }));
    const [one] = sketch.all();
    expect(one?.routes.size).toBeLessThanOrEqual(8);
    expect(one?.routes.get('main')).toMatchObject({ requests: 500, refused: 100 });
    expect(one?.refused).toBe(100);
  });

  it('forgets after two generations, and knows what has limited somebody', () => {
    let now = 0;
    const sketch = new ClientSketch(() => now);
    sketch.note(note({ isRefused: true, limitedBy: 'per ip' }));
    now = 300_000;
    sketch.look();
    sketch.note(note({}));
    expect(sketch.all()).toEqual([expect.objectContaining({ requests: 2, refused: 1, limitedBy: 'per ip' })]);
    now = 600_000;
    sketch.look();
    expect(sketch.all()).toEqual([expect.objectContaining({ requests: 1, refused: 0 })]);
    expect(sketch.since).toBe(300_000);
  });

  it('knows what the limits of a route had left somebody, also from before', () => {
    let now = 1000;
    const sketch = new ClientSketch(() => now);
    sketch.note(note({ left: { remaining: 7, limit: 10, resetMs: 3000 } }));
    sketch.note(note({ route: 'free' }));
    now = 301_000;
    sketch.look();
    sketch.note(note({}));
    const leftOf = (route: string): unknown => sketch.all()[0]?.routes.get(route)?.left;
    expect(leftOf('users')).toEqual({ remaining: 7, limit: 10, resetMs: 3000, at: 1000 });
    expect(leftOf('free')).toBeUndefined();
    sketch.note(note({ left: { remaining: 9, limit: 10, resetMs: 1000 } }));
    expect(leftOf('users')).toMatchObject({ remaining: 9, at: 301_000 });
  });
});
