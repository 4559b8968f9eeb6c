import type { BreakerChange } from '../../policies/circuit-breaker/breaker.ts';
import type { PassiveOptions } from './health.schema.ts';
import { outliersOf } from './outliers.ts';
import type { TargetWatch } from './target-watch.ts';

/** Who hears what becomes of the targets of a group. */
export interface GroupReport {
  breaker(watch: TargetWatch, change: BreakerChange): void;
  probed(watch: TargetWatch): void;
  /** It would have been ejected, but too many others are out. */
  spared(watch: TargetWatch, reason: string): void;
  /** Most targets went down within one interval of their probes. */
  mostDown(watch: TargetWatch, down: number, all: number): void;
}

/** What holds for a group. */
export interface WatchGroupOptions {
  readonly passive: PassiveOptions | undefined;
  /** Time between two probes, in ms. */
  readonly probeIntervalMs: number;
}

/**
 * The targets of one upstream that stand in for each other: one is ejected only as long as enough others are left. Looks at
 * all of them when something changes and at the end of each interval, never when one is called.
 */
export class WatchGroup {
  readonly #options: WatchGroupOptions;
  readonly #report: GroupReport;
  /** Those that were made for it and have not ended, whether they are members yet, still, or not. */
  readonly made = new Set<TargetWatch>();
  readonly #members = new Set<TargetWatch>();
  readonly #spared = new Set<TargetWatch>();
  readonly #downAt = new Map<TargetWatch, number>();
  #toldAt = -Infinity;
  #sweeper: NodeJS.Timeout | undefined = undefined;

  constructor(options: WatchGroupOptions, report: GroupReport) {
    this.#options = options;
    this.#report = report;
  }

  get members(): ReadonlySet<TargetWatch> {
    return this.#members;
  }

  /** Takes a target in. @returns what takes it out again. */
  add(watch: TargetWatch): () => void {
    // Nobody else can be called: it is, though nobody knows how it is. Later on it has to prove itself first.
    watch.isTrusted = watch.verdict === 'unknown' && !this.#any(isWell);
    this.#members.add(watch);
    const { passive } = this.#options;
    if (passive !== undefined) this.#sweeper ??= setInterval(() => this.sweep(), passive.interval).unref();
    this.#settle();
    return () => this.#remove(watch);
  }

  /** Forgets those that are not wanted any more, though calls of them are still under way. */
  retain(wanted: ReadonlySet<unknown>): void {
    for (const watch of this.#members) if (!wanted.has(watch)) this.#remove(watch);
  }

  /** Hears of a transition of a breaker. */
  changed(watch: TargetWatch, change: BreakerChange): void {
    this.#settle();
    this.#report.breaker(watch, change);
  }

  /** Looks anew at who can be called. */
  reconsider(): void {
    this.#settle();
  }

  /** Hears that probes say something else. */
  probed(watch: TargetWatch): void {
    watch.isTrusted = false;
    this.#settle();
    this.#report.probed(watch);
    if (watch.verdict === 'down') this.#wentDown(watch);
    else this.#downAt.delete(watch);
  }

  /** Ejects a target, unless it is out anyway or too many others are. */
  eject(watch: TargetWatch, reason: string): void {
    const { passive } = this.#options;
    if (passive === undefined || watch.breaker?.state !== 'closed' || !this.#members.has(watch)) return;
    if (!this.#maySpare(watch, passive)) {
      if (!this.#spared.has(watch)) this.#report.spared(watch, reason);
      return void this.#spared.add(watch);
    }
    watch.ejectedFor = reason;
    watch.breaker.trip('ejected', this.ejectForMs(watch));
  }

  /** Counts one more ejection. @returns how long it lasts, in ms. */
  ejectForMs(watch: TargetWatch): number {
    const { ejectFor = 0, maxEjectFor = 0 } = this.#options.passive ?? {};
    // More says nothing any more, and would take as many good intervals to be forgotten.
    if (watch.ejections * ejectFor < maxEjectFor) watch.ejections += 1;
    return Math.min(ejectFor * watch.ejections, Math.max(ejectFor, maxEjectFor));
  }

  /** Ends an interval: judges it, and forgets it. */
  sweep(): void {
    const { passive } = this.#options;
    if (passive === undefined) return;
    this.#spared.clear();
    const members = [...this.#members];
    const reasons = outliersOf(members, passive);
    members.forEach((watch, index) => {
      const reason = reasons[index];
      if (reason !== undefined) this.eject(watch, textOf(reason, watch));
      if (!watch.isEjected && watch.ejections > 0) watch.ejections -= 1;
      watch.clear();
    });
  }

  // One always may be ejected, and never the last one that can be called.
  #maySpare(watch: TargetWatch, { maxEjected }: PassiveOptions): boolean {
    let out = 0;
    let isOtherLeft = false;
    for (const member of this.#members) {
      if (member.isOut) out += 1;
      else if (member !== watch && canServe(member)) isOtherLeft = true;
    }
    return isOtherLeft && out < Math.max(1, Math.floor(maxEjected * this.#members.size));
  }

  #settle(): void {
    const isAnyWell = this.#any(isWell);
    for (const watch of this.#members)
      watch.available =
        watch.verdict !== 'down' && (watch.verdict !== 'unknown' || watch.isTrusted || !isAnyWell);
  }

  #wentDown(watch: TargetWatch): void {
    const now = performance.now();
    const since = now - this.#options.probeIntervalMs;
    this.#downAt.set(watch, now);
    let down = 0;
    for (const at of this.#downAt.values()) if (at >= since) down += 1;
    if (down < 2 || down * 2 <= this.#members.size || this.#toldAt >= since) return;
    this.#toldAt = now;
    this.#report.mostDown(watch, down, this.#members.size);
  }

  #remove(watch: TargetWatch): void {
    if (!this.#members.delete(watch)) return;
    this.#downAt.delete(watch);
    this.#spared.delete(watch);
    if (this.#members.size === 0) {
      clearInterval(this.#sweeper);
      this.#sweeper = undefined;
    }
    this.#settle();
  }

  #any(holds: (watch: TargetWatch) => boolean): boolean {
    for (const member of this.#members) if (holds(member)) return true;
    return false;
  }
}

function isWell(watch: TargetWatch): boolean {
  return watch.isWell;
}

function canServe({ available, breaker, isWithdrawn }: TargetWatch): boolean {
  return available && !isWithdrawn && breaker?.state === 'closed';
}

function textOf(reason: string, { calls, failures, waitedMs }: TargetWatch): string {
  if (reason === 'latency')
    return `latency, ${Math.round(waitedMs / Math.max(1, calls - failures))} ms on average`;
  return `${reason}, ${failures} failures of ${calls} calls`;
}
