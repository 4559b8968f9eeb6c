import { z } from 'zod';
import { timerDuration } from '../../config/units.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import type { HeadTimes } from './head-times.ts';

/** A shorter wait than this only makes load. */
const SHORTEST_MS = 10;

/** The `hedge:` key of upstreams and routes, `off` aside. */
const hedgeOptions = z.strictObject({
  delay: z
    .union([z.literal('p95'), timerDuration.refine((ms) => ms >= SHORTEST_MS, 'expected at least 10ms')])
    .default('p95')
    .describe(
      'How long the first target may keep a request waiting for the head of its answer: a duration, or `p95` for the 95th percentile of the last minutes, at least 10ms, at most half of `firstByte`, and nothing before 100 requests. Default p95.',
    ),
});

/** The `hedge:` key, which is off unless somebody says otherwise. */
export const hedgeSchema = z
  .union([z.literal('off'), hedgeOptions])
  .describe(
    'Has a request that can be repeated made at a second target as well when the first is slow; the first answer is taken. Default off.',
  );

/** The parsed key. */
export type HedgeOptions = z.output<typeof hedgeSchema>;

/** What is wrong with a delay beside the limit of the same attempt; undefined for nothing. */
export function hedgeFault(hedge: HedgeOptions | undefined, firstByteMs: number): string | undefined {
  if (hedge === undefined || hedge === 'off' || hedge.delay === 'p95') return undefined;
  if (hedge.delay < firstByteMs) return undefined;
  return 'expected less than `timeouts.firstByte` of the upstream, after which the first attempt has ended';
}

/** When a request gets a second attempt beside the first, compiled. */
export class HedgePolicy {
  readonly #fixedMs: number | undefined;
  readonly #longestMs: number;
  readonly #times: HeadTimes;

  constructor({ delay }: Exclude<HedgeOptions, 'off'>, firstByteMs: number, times: HeadTimes) {
    this.#fixedMs = delay === 'p95' ? undefined : delay;
    this.#longestMs = firstByteMs / 2;
    this.#times = times;
  }

  /** How long the first attempt is waited for, in ms; undefined while too little is known. */
  delayMs(now: number): number | undefined {
    if (this.#fixedMs !== undefined) return this.#fixedMs;
    const p95 = this.#times.p95(now);
    return p95 === undefined ? undefined : Math.min(Math.max(p95, SHORTEST_MS), this.#longestMs);
  }

  /** Learns how long a first attempt took. */
  answered(ms: number, now: number): void {
    if (this.#fixedMs === undefined) this.#times.answered(ms, now);
  }

  /** Learns how long a first attempt was waited for in vain. */
  givenUp(ms: number, now: number): void {
    if (this.#fixedMs === undefined) this.#times.givenUp(ms, now);
  }
}

/** When a request gets a second attempt, as its route says, or else its upstream; undefined for never. */
export function hedgeOf(
  { route }: Exchange,
  upstream: { readonly hedge: HedgePolicy | undefined },
): HedgePolicy | undefined {
  const own = route?.hedge;
  return own === undefined ? upstream.hedge : (own ?? undefined);
}
