import { randomUUID } from 'node:crypto';
import { Breaker, type BreakerChange, type BreakerHooks } from '../../policies/circuit-breaker/breaker.ts';
import {
  circuitBreakerPolicy,
  type BreakerOptions,
} from '../../policies/circuit-breaker/circuit-breaker.policy.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Http1PoolOptions } from '../transport/http1/http1-pool.ts';
import type { UpstreamOptions } from '../upstream.schema.ts';
import { BreakerHints, type HintChannel } from './breaker-hints.ts';
import { createProbe } from './create-probe.ts';
import { Prober } from './prober.ts';
import { TargetWatch } from './target-watch.ts';
import { WatchGroup, type GroupReport } from './watch-group.ts';
import { reportTo } from './watch-report.ts';

/** Which target is watched. */
export interface WatchedTarget {
  readonly upstream: string;
  readonly options: UpstreamOptions;
  /** Without the slash at its end. */
  readonly origin: string;
  /** `host:port`. */
  readonly host: string;
  /** How it is reached. */
  readonly socket: Http1PoolOptions;
}

/** All that is known of the health of targets in this process, over all configurations. */
export class Watches {
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #report: GroupReport;
  readonly #hints: BreakerHints;
  readonly #groups = new Map<string, WatchGroup>();
  /** By upstream and origin. */
  readonly #byOrigin = new Map<string, Set<TargetWatch>>();
  #channel: HintChannel | undefined = undefined;

  constructor(logger: Logger, metrics: Metrics) {
    this.#logger = logger;
    this.#metrics = metrics;
    this.#hints = new BreakerHints(randomUUID(), (upstream, origin) => this.find(upstream, origin));
    this.#report = reportTo(logger, metrics, (watch, change) => this.#hints.tell(watch, change));
  }

  /** Shares what breakers do with other replicas, once a configuration is in force. */
  shareOver(channel: HintChannel | undefined): void {
    this.#channel = channel;
  }

  /** Watches a target; undefined where its upstream wants nothing of the kind. It begins with {@link begin}. */
  watch(target: WatchedTarget): TargetWatch | undefined {
    const { upstream, options, origin, host } = target;
    const { active, passive } = options.health;
    if (options.circuitBreaker === 'off' && active === undefined && passive === undefined) return undefined;
    const verdict = active === undefined ? undefined : active.initial;
    const group = this.#groupOf(upstream, options);
    const watch = new TargetWatch({ upstream, origin, host, group, passive, verdict });
    watch.breaker = breakerFor(watch, group, options);
    watch.isTimed = passive?.latency !== undefined || (watch.breaker?.slowMs ?? Infinity) !== Infinity;
    if (active !== undefined) {
      const warn = (probe: string): void =>
        this.#logger.warn({ upstream, target: host, probe }, 'probe is answered, but says little');
      const probe = createProbe(active, target);
      watch.prober = new Prober(active, { watch, probe, warn });
    }
    this.#keep(watch, group);
    return watch;
  }

  /**
   * Begins to watch the targets of a configuration that is in force now; those of others are no longer counted on, though
   * their last calls are still under way.
   */
  begin(inForce: Iterable<unknown>): void {
    const wanted = new Set(inForce);
    for (const group of this.#groups.values()) group.retain(wanted);
    for (const one of wanted) if (one instanceof TargetWatch) one.start();
    if (this.#channel !== undefined) this.#hints.start(this.#channel);
  }

  /** The watches of a target: while one takes the place of another, both. */
  find(upstream: string, origin: string): Iterable<TargetWatch> {
    return this.#byOrigin.get(`${upstream}\n${origin}`) ?? [];
  }

  #keep(watch: TargetWatch, group: WatchGroup): void {
    const key = `${watch.upstream}\n${watch.origin}`;
    const alike = this.#byOrigin.get(key) ?? new Set();
    this.#byOrigin.set(key, alike.add(watch));
    const forget = this.#metrics.targets.add(watch);
    group.made.add(watch);
    watch.onEnded = () => {
      forget();
      group.made.delete(watch);
      alike.delete(watch);
      if (alike.size === 0 && this.#byOrigin.get(key) === alike) this.#byOrigin.delete(key);
    };
  }

  #groupOf(upstream: string, { health }: UpstreamOptions): WatchGroup {
    // Targets that are watched otherwise do not stand in for each other.
    const key = `${upstream}\n${JSON.stringify(health)}`;
    let group = this.#groups.get(key);
    if (group === undefined) {
      for (const [other, { made }] of this.#groups) if (made.size === 0) this.#groups.delete(other);
      const { active, passive } = health;
      group = new WatchGroup({ passive, probeIntervalMs: active?.interval ?? 0 }, this.#report);
      this.#groups.set(key, group);
    }
    return group;
  }
}

// Ejection needs its states also where nothing else opens a breaker.
function breakerFor(watch: TargetWatch, group: WatchGroup, options: UpstreamOptions): Breaker | undefined {
  const { passive } = options.health;
  const wanted = options.circuitBreaker === 'off' ? passive && neverByItself() : options.circuitBreaker;
  if (wanted === undefined) return undefined;
  const hooks: BreakerHooks = {
    onChange: (change: BreakerChange) => watch.breakerChanged(change),
    ...(passive && {
      onOutcome: (isFailure: boolean, firstByteMs: number) => watch.counted(isFailure, firstByteMs),
      ejectAgainMs: () => group.ejectForMs(watch),
    }),
  };
  return new Breaker(wanted, hooks);
}

function neverByItself(): BreakerOptions {
  const never = { window: 1, errorRate: Infinity, consecutiveFailures: Infinity };
  return { ...circuitBreakerPolicy.schema.parse({}), ...never };
}
