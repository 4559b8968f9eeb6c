/**
 * Runs something at another time, and with chance that always falls alike: what is decided by the wall clock or by chance is
 * decided as it was, or alike for two configurations. Nothing else may run in the process meanwhile.
 *
 * @param atMs since the epoch.
 */
export async function inFixedWorld<Result>(atMs: number, run: () => Promise<Result>): Promise<Result> {
  const [RealDate, realRandom] = [Date, Math.random];
  class FixedDate extends RealDate {
    constructor(...given: readonly unknown[]) {
      super(...((given.length === 0 ? [atMs] : given) as [number]));
    }

    static override now(): number {
      return atMs;
    }
  }
  globalThis.Date = FixedDate as DateConstructor;
  Math.random = sequence();
  try {
    return await run();
  } finally {
    globalThis.Date = RealDate;
    Math.random = realRandom;
  }
}

/** Numbers from 0 to below 1, always the same ones (mulberry32). */
function sequence(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
