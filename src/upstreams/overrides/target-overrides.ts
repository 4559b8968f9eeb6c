import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { ReadGauge } from '../../telemetry/read-gauge.ts';
import type { Target } from '../target.ts';

/** What an operator can have otherwise than the configuration says. */
export type OverrideKind = 'ejection' | 'weight' | 'breaker';

/** What an operator has ordered of a target; it holds until its time is over or somebody undoes it. */
export interface Override {
  readonly kind: OverrideKind;
  readonly upstream: string;
  /** `host:port`, as the configuration or discovery says it. */
  readonly target: string;
  /** In ms since the epoch. */
  readonly since: number;
  /** The same; undefined until it is undone. */
  readonly until: number | undefined;
  /** Who has ordered it. */
  readonly by: string;
  readonly reason?: string | undefined;
  /** Of a weight: which one it has. */
  readonly weight?: number | undefined;
}

/** As long as a timer can wait, 24 days. */
const LONGEST_OPEN_MS = 24 * 24 * 60 * 60_000;
/** Most of them at a time. */
export const MOST_OVERRIDES = 1000;

interface Held {
  readonly override: Override;
  readonly timer: NodeJS.Timeout | undefined;
}

/**
 * What operators have ordered of targets in this process, over all configurations: by upstream and target, so that an order
 * holds for a target that a reload makes anew, or that goes and comes back. Nothing of it outlives the process.
 */
export class TargetOverrides {
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #held = new Map<string, Held>();
  readonly #targets = new Map<string, Set<Target>>();

  constructor(logger: Logger, metrics: Metrics) {
    this.#logger = logger;
    this.#metrics = metrics;
    new ReadGauge(
      {
        name: 'gatehouse_target_overrides',
        help: 'What operators have ordered of a target, by kind: 1 while it holds.',
        labels: ['upstream', 'target', 'kind'],
        fold: 1,
      },
      metrics.registry,
      (show) => {
        for (const { upstream, target, kind } of this.all()) show(1, upstream, target, kind);
      },
    );
  }

  /** Takes a new target in: it is as was ordered for its name. */
  adopt(upstream: string, target: Target): void {
    const key = keyOf(upstream, target.host);
    const alike = this.#targets.get(key) ?? new Set();
    this.#targets.set(key, alike.add(target));
    if (this.of('ejection', upstream, target.host) !== undefined) target.withdraw(true);
    target.weigh(this.of('weight', upstream, target.host)?.weight);
    const breaker = this.of('breaker', upstream, target.host);
    if (breaker !== undefined) tripped(target, breaker);
    target.onEnd(() => {
      alike.delete(target);
      if (alike.size === 0 && this.#targets.get(key) === alike) this.#targets.delete(key);
    });
  }

  /** Puts an order into force, in place of an earlier one of its kind. @returns whether there was room for it. */
  put(override: Override): boolean {
    const key = `${override.kind}\n${keyOf(override.upstream, override.target)}`;
    const before = this.#held.get(key);
    if (before === undefined && this.#held.size >= MOST_OVERRIDES) return false;
    clearTimeout(before?.timer);
    const leftMs = override.until === undefined ? undefined : override.until - Date.now();
    const timer = leftMs === undefined ? undefined : setTimeout(() => this.#ended(override), leftMs).unref();
    this.#held.set(key, { override, timer });
    this.#apply(override, override);
    return true;
  }

  /** Undoes an order. @returns what it was; undefined where there was none. */
  undo(kind: OverrideKind, upstream: string, target: string): Override | undefined {
    const key = `${kind}\n${keyOf(upstream, target)}`;
    const held = this.#held.get(key);
    if (held === undefined) return undefined;
    clearTimeout(held.timer);
    this.#held.delete(key);
    this.#apply(held.override, undefined);
    return held.override;
  }

  /** What was ordered of a target. */
  of(kind: OverrideKind, upstream: string, target: string): Override | undefined {
    return this.#held.get(`${kind}\n${keyOf(upstream, target)}`)?.override;
  }

  /** All that holds now, also of targets that there are not at the moment. */
  all(): readonly Override[] {
    return [...this.#held.values()].map(({ override }) => override);
  }

  #ended(override: Override): void {
    const { kind, upstream, target } = override;
    // A breaker goes on by itself, with one call.
    if (kind === 'breaker') this.#held.delete(`${kind}\n${keyOf(upstream, target)}`);
    else this.undo(kind, upstream, target);
    const now = kind === 'breaker' ? 'it lets a call through' : 'it is as it was';
    const text = `${kind} of ${target} is over: ${now}`;
    this.#metrics.changes.note({ kind: 'ejection', upstream, target, text });
    this.#logger.info({ upstream, target, override: kind }, 'the time of an order of an operator is over');
  }

  #apply({ kind, upstream, target }: Override, now: Override | undefined): void {
    for (const one of this.#targets.get(keyOf(upstream, target)) ?? [])
      if (kind === 'ejection') one.withdraw(now !== undefined);
      else if (kind === 'weight') one.weigh(now?.weight);
      else if (now === undefined) one.breaker?.close();
      else tripped(one, now);
  }
}

function tripped({ breaker }: Target, { until = Infinity }: Override): void {
  breaker?.trip('manual', Math.min(until - Date.now(), LONGEST_OPEN_MS));
}

function keyOf(upstream: string, target: string): string {
  return `${upstream}\n${target}`;
}
