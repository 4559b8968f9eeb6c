import type { Finding } from './check.ts';

/** What a clock may be off by. */
export interface ClockTolerance {
  /** What cannot be told apart from the way there and back, in ms. */
  readonly slackMs: number;
  /** From here on things fail, in ms. */
  readonly toleranceMs: number;
}

const MEND = 'set the clock by NTP: timedatectl set-ntp true, or chronyc makestep';

/** Says of two clocks how far they are apart. @param offMs how far the other one is ahead of ours. */
export function clockFinding(offMs: number, { slackMs, toleranceMs }: ClockTolerance): Finding {
  const apart = Math.max(0, Math.abs(offMs) - slackMs);
  if (apart === 0) return { level: 'ok', what: 'its clock agrees with ours' };
  const seconds = (Math.abs(offMs) / 1000).toFixed(1);
  const what = `ours is ${seconds}s ${offMs > 0 ? 'behind' : 'ahead of'} its clock`;
  if (apart <= toleranceMs) return { level: 'warn', what, mend: MEND };
  return { level: 'fail', what: `${what}, and ${toleranceMs / 1000}s is tolerated`, mend: MEND };
}
