import type { Breaker, BreakerChange } from '../../policies/circuit-breaker/breaker.ts';
import type { TargetHealth } from '../target.ts';
import type { PassiveOptions } from './health.schema.ts';
import type { Tally } from './outliers.ts';
import type { Prober } from './prober.ts';
import type { WatchGroup } from './watch-group.ts';

/** What probes say of a target: nothing yet, that it is well, or that it is not. */
export type ProbeVerdict = 'unknown' | 'up' | 'down';

/** What a watch is made of. */
export interface TargetWatchDeps {
  readonly upstream: string;
  /** The origin of the target, the same in every replica. */
  readonly origin: string;
  /** `host:port`, for logs and metrics. */
  readonly host: string;
  readonly group: WatchGroup;
  readonly passive: PassiveOptions | undefined;
  /** What probes say before the first one; undefined where there are none. */
  readonly verdict: ProbeVerdict | undefined;
}

/**
 * What is known of one target: the state of its breaker, which is its ejection as well, and what probes say. Whether it may
 * be called is worked out anew when something changes, and only read when it is called.
 */
export class TargetWatch implements TargetHealth, Tally {
  /** Whether it may be called as far as probes go; the breaker answers for the rest. Written by its group. */
  available = true;
  verdict: ProbeVerdict | undefined;
  /** Why the last probe was bad; empty after a good one. */
  probeFault = '';
  /** When probes said last that it is otherwise than before, on the clock of `Date.now()`. */
  verdictAt = Date.now();
  /** Whether it is not probed yet and has calls all the same: nobody else had them when it came. */
  isTrusted = false;
  /** How often it was ejected in a row. */
  ejections = 0;
  /** Whether calls are timed, until the first byte of their answers. */
  isTimed = false;
  /** Why it was ejected last. */
  ejectedFor = '';
  calls = 0;
  failures = 0;
  waitedMs = 0;
  breaker: Breaker | undefined = undefined;
  prober: Prober | undefined = undefined;
  /** Hears that it has ended. */
  onEnded: () => void = ignore;
  /** Whether an operator has taken it out. */
  isWithdrawn = false;
  /** Whether it was in force, and has not ended. */
  isWatched = false;
  readonly upstream: string;
  readonly origin: string;
  readonly host: string;
  readonly #group: WatchGroup;
  readonly #passive: PassiveOptions | undefined;
  #consecutive = 0;
  #onEnd: (() => void) | undefined = undefined;

  constructor({ upstream, origin, host, group, passive, verdict }: TargetWatchDeps) {
    this.upstream = upstream;
    this.origin = origin;
    this.host = host;
    this.verdict = verdict;
    this.#group = group;
    this.#passive = passive;
  }

  /** Whether its breaker is open because it was ejected, or waits for the call that ends that. */
  get isEjected(): boolean {
    return this.breaker?.cause === 'ejected' && this.breaker.state !== 'closed';
  }

  /** Whether it counts as one of those that are out. */
  get isOut(): boolean {
    return this.isWithdrawn || this.isEjected || this.verdict === 'down';
  }

  /** Whether it can be called now because it is known to be well. */
  get isWell(): boolean {
    const isUp = this.verdict !== 'down' && this.verdict !== 'unknown';
    return isUp && !this.isWithdrawn && this.breaker?.state !== 'open';
  }

  /** Why it cannot be called, or has none but one call; undefined for one that is well. */
  get reason(): string | undefined {
    const { breaker } = this;
    if (this.isWithdrawn) return 'ejected by an operator';
    if (breaker !== undefined && breaker.state !== 'closed') {
      const why = { failures: 'breaker', ejected: `ejected: ${this.ejectedFor}`, manual: 'breaker, by hand' };
      return `${why[breaker.cause]} (${breaker.state})`;
    }
    if (this.verdict === 'down') return `probe: ${this.probeFault}`;
    return this.available ? undefined : 'not probed yet';
  }

  /** Begins to work: its target is in force. Calling it again does nothing. */
  start(): void {
    if (this.isWatched) return;
    this.isWatched = true;
    this.#onEnd = this.#group.add(this);
    this.prober?.start();
  }

  /** Ends it: nobody chooses its target any more. Calling it again does nothing. */
  end(): void {
    this.isWatched = false;
    this.prober?.stop();
    this.#onEnd?.();
    this.#onEnd = undefined;
    this.onEnded();
  }

  /** Takes what the breaker has counted. */
  counted(isFailure: boolean, firstByteMs: number): void {
    this.calls += 1;
    if (!isFailure) {
      this.#consecutive = 0;
      this.waitedMs += firstByteMs;
      return;
    }
    this.failures += 1;
    this.#consecutive += 1;
    const most = this.#passive?.failures;
    if (most !== undefined && this.#consecutive % most === 0)
      this.#group.eject(this, `${this.#consecutive} failures in a row`);
  }

  /** Takes a transition of the breaker. */
  breakerChanged(change: BreakerChange): void {
    this.#consecutive = 0;
    this.#group.changed(this, change);
  }

  /** Takes what probes say now. */
  probed(verdict: ProbeVerdict, fault: string): void {
    this.probeFault = fault;
    if (this.verdict === verdict) return;
    this.verdict = verdict;
    this.verdictAt = Date.now();
    this.#group.probed(this);
  }

  /** Hears that an operator has taken its target out, or back: who is left stands in for it. */
  withdrawn(isOut: boolean): void {
    if (this.isWithdrawn === isOut) return;
    this.isWithdrawn = isOut;
    this.#group.reconsider();
  }

  /** Begins another interval. */
  clear(): void {
    this.calls = this.failures = this.waitedMs = 0;
  }
}

function ignore(): void {}
