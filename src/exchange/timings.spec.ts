import { describe, expect, it } from '@jest/globals';
import { Timings } from './timings.ts';

const shown = (timings: Timings, now: number) =>
  Object.fromEntries(timings.parts(now).map(({ name, ms }) => [name, ms]));

describe(Timings.name, () => {
  it('has each moment once', () => {
    const timings = new Timings(100, 101);
    timings.entering();
    timings.left('authentication', 101, 104);
    timings.waiting(105);
    timings.attempting(107);
    timings.attempted(110);
    timings.waiting(110);
    timings.attempting(114);
    timings.attempted(120);
    expect(shown(timings, 123)).toEqual({
      parse: 1,
      authentication: 3,
      handle: 1,
      queue: 6,
      upstream: 9,
      serialize: 3,
      total: 23,
    });
  });

  it('takes attempts beside each other for as long as all of them together', () => {
    const timings = new Timings(0, 0);
    timings.attempting(1);
    timings.attempting(3);
    timings.attempted(5);
    timings.attempted(9);
    timings.attempted(9);
    expect(shown(timings, 10)).toMatchObject({ upstream: 8, serialize: 1, handle: 1, total: 10 });
  });

  it('leaves to a stage what it asks', () => {
    const timings = new Timings(0, 0);
    timings.entering();
    timings.waiting(0);
    timings.attempting(1);
    timings.attempted(5);
    timings.left('externalAuthorization', 0, 6);
    expect(shown(timings, 6)).toEqual({ parse: 0, externalAuthorization: 6, handle: 0, total: 6 });
  });

  it('shows what is not over, and adds up what happens again', () => {
    const timings = new Timings(0, 0);
    timings.entering();
    timings.left('rateLimit', 0, 1);
    timings.entering();
    timings.left('rateLimit', 2, 4);
    timings.waiting(4);
    expect(shown(timings, 9)).toEqual({ parse: 0, rateLimit: 3, handle: 1, queue: 5, total: 9 });
    timings.attempting(9);
    expect(shown(timings, 12)).toMatchObject({ queue: 5, upstream: 3, total: 12 });
    expect(shown(timings, 12)).not.toHaveProperty('serialize');
  });
});
