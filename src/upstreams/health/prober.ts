import type { ActiveOptions } from './health.schema.ts';
import type { Probe, ProbeResult } from './probe.ts';
import { processSlots, type ProbeSlots } from './probe-slots.ts';
import type { TargetWatch } from './target-watch.ts';

/** A dead listener behind a connection that lives on shows at the latest after so many probes. */
const RENEW_EVERY = 10;
/** How much earlier or later a probe may come, as a part of the interval. */
const JITTER = 0.1;

/** When a prober asks. */
export type ProbeSchedule = Pick<ActiveOptions, 'interval' | 'edgeInterval' | 'timeout' | 'up' | 'down'>;

/** What a prober is made of. */
export interface ProberDeps {
  readonly watch: TargetWatch;
  readonly probe: Probe;
  /** Hears of something odd about the probe itself. */
  readonly warn: (text: string) => void;
  /** Default: those of the process. */
  readonly slots?: ProbeSlots;
  /** A number from 0 to below 1. Default: `Math.random`. */
  readonly random?: () => number;
}

/**
 * Asks one target now and then whether it is well, and tells its watch once it has answered the same often enough in a row.
 * The first time is at random within the interval, so that many gateways that start together do not ask together.
 */
export class Prober {
  readonly #schedule: ProbeSchedule;
  readonly #deps: ProberDeps;
  readonly #slots: ProbeSlots;
  readonly #random: () => number;
  #timer: NodeJS.Timeout | undefined = undefined;
  #cancel: (() => void) | undefined = undefined;
  #asked = 0;
  /** How often in a row the answer was other than what its watch says. */
  #against = 0;
  #oddity: string | undefined = undefined;

  constructor(schedule: ProbeSchedule, deps: ProberDeps) {
    this.#schedule = schedule;
    this.#deps = deps;
    this.#slots = deps.slots ?? processSlots;
    this.#random = deps.random ?? Math.random;
  }

  /** Begins. */
  start(): void {
    this.#wait(this.#random() * this.#schedule.interval);
  }

  /** Ends; what is under way is given up. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#slots.leave(this.#begin);
    if (this.#cancel !== undefined) this.#end(undefined);
    this.#deps.probe.close();
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => this.#slots.take(this.#begin), ms).unref();
  }

  readonly #begin = (): void => {
    const { probe } = this.#deps;
    if (this.#asked > 0 && this.#asked % RENEW_EVERY === 0) probe.renew();
    this.#asked += 1;
    const { timeout } = this.#schedule;
    this.#timer = setTimeout(
      () => this.#end({ isGood: false, fault: `no answer within ${timeout} ms` }),
      timeout,
    ).unref();
    this.#cancel = probe.ask((result) => this.#end(result));
  };

  #end(result: ProbeResult | undefined): void {
    const cancel = this.#cancel;
    // It was over already.
    if (cancel === undefined) return;
    this.#cancel = undefined;
    clearTimeout(this.#timer);
    cancel();
    this.#slots.free();
    if (result === undefined) return;
    if (result.isGood !== true) this.#deps.probe.renew();
    this.#judge(result);
    this.#wait(this.#nextMs());
  }

  #judge({ isGood, fault = '' }: ProbeResult): void {
    const { watch, warn } = this.#deps;
    if (isGood && fault !== '' && fault !== this.#oddity) warn(fault);
    this.#oddity = fault;
    const verdict = isGood ? 'up' : 'down';
    if (watch.verdict === verdict) {
      this.#against = 0;
      watch.probed(verdict, isGood ? '' : fault);
      return;
    }
    this.#against += 1;
    if (this.#against < this.#needed(isGood)) return;
    this.#against = 0;
    watch.probed(verdict, isGood ? '' : fault);
  }

  // One that was never asked is well at the first good answer. It is down at the first bad one, unless it has calls.
  #needed(isGood: boolean): number {
    const { verdict, isTrusted } = this.#deps.watch;
    const { up, down } = this.#schedule;
    if (verdict === 'unknown') return isGood || !isTrusted ? 1 : down;
    return isGood ? up : down;
  }

  #nextMs(): number {
    const { interval, edgeInterval } = this.#schedule;
    const { watch } = this.#deps;
    let ms = this.#against > 0 ? Math.min(interval, edgeInterval) : interval;
    // Another replica has left it alone: it is looked at more closely.
    if (watch.breaker?.isSuspect === true) ms = Math.min(ms, interval / 2);
    return ms * (1 - JITTER + 2 * JITTER * this.#random());
  }
}
