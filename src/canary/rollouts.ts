import { Inject, Injectable, Optional, type OnModuleDestroy } from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { Audit } from '../audit/audit-event.ts';
import { AUDIT, PUB_SUB } from '../config/tokens.ts';
import type { PubSub } from '../store/pub-sub.ts';
import type { StoreGuard } from '../store/store-guard.ts';
import { REDIS, STORE_GUARD } from '../store/store.module.ts';
import { LabelCounter } from '../telemetry/label-counter.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { LOGGER } from '../telemetry/telemetry.module.ts';
import { Gauge } from 'prom-client';
import type { RolloutPlan } from './rollout-plan.ts';
import { Rollout, type Wish } from './rollout.ts';
import { RedisRolloutStore } from './rollout-store.redis.ts';
import type { RolloutChange, RolloutStatus } from './rollout-state.ts';

const TICK_MS = 1000;
const CHANNEL = 'canary';
/** Rollouts that no route has any more, and that must not begin anew by being taken out and put back. */
const MOST_FORMER = 200;

/** What an operator can do to a rollout. */
export const WISHES = { pause: 'paused', resume: 'running', promote: 'promoted', abort: 'aborted' } as const;
/** A key of {@link WISHES}. */
export type WishName = keyof typeof WISHES;

/** The rollouts of one process: they outlive configurations, and go on with those of other replicas. */
@Injectable()
export class Rollouts implements OnModuleDestroy {
  @Optional() @Inject(AUDIT) private readonly audit?: Audit;
  readonly #all = new Map<string, Rollout>();
  /** Ids of those that routes in force have. */
  #inForce: ReadonlySet<string> = new Set();
  readonly #store: RedisRolloutStore | undefined;
  readonly #pubSub: PubSub;
  readonly #logger: Logger;
  readonly #weights: Gauge<'route'>;
  readonly #changes: LabelCounter;
  readonly #attempts: LabelCounter;
  readonly #metrics: Metrics;
  #timer: NodeJS.Timeout | undefined = undefined;
  #deaf: (() => void) | undefined = undefined;

  constructor(
    @Optional() @Inject(REDIS) redis: Redis | undefined,
    @Optional() @Inject(STORE_GUARD) guard: StoreGuard | undefined,
    @Inject(PUB_SUB) pubSub: PubSub,
    @Inject(LOGGER) logger: Logger,
    metrics: Metrics,
  ) {
    this.#store = redis && guard && new RedisRolloutStore(redis, guard);
    this.#pubSub = pubSub;
    this.#logger = logger;
    this.#metrics = metrics;
    this.#weights = new Gauge({
      name: 'gatehouse_canary_weight',
      help: 'Share of the traffic of a route that goes to its canary, from 0 to 1.',
      labelNames: ['route'],
      registers: [metrics.registry],
    });
    const { registry } = metrics;
    this.#changes = new LabelCounter(
      {
        name: 'gatehouse_canary_changes_total',
        help: 'Changes of rollouts, by what they became.',
        labels: ['route', 'to'],
      },
      registry,
    );
    this.#attempts = new LabelCounter(
      {
        name: 'gatehouse_canary_attempts_total',
        help: 'Attempts at targets of routes with a canary, by side: canary, stable, or rule for those that a condition has sent to the canary.',
        labels: ['route', 'side', 'outcome'],
      },
      registry,
    );
    metrics.onRoutesForgotten((ids) => {
      this.#changes.forget(ids);
      this.#attempts.forget(ids);
    });
  }

  /** The rollout of a plan: the one that there is, if there is one of the same id. Nothing begins. */
  of(plan: RolloutPlan): Rollout {
    const known = this.#all.get(plan.id);
    if (known !== undefined) return known;
    const made = new Rollout(plan, {
      now: () => performance.now(),
      store: this.#store,
      changed: this.#changed,
    });
    this.#all.set(plan.id, made);
    return made;
  }

  /** Counts an attempt for the metrics. */
  counted(route: string, side: string, outcome: string): void {
    this.#attempts.count(route, side, outcome);
  }

  /** Takes over the plans of a configuration that comes into force. */
  inForce(plans: readonly RolloutPlan[]): void {
    this.#inForce = new Set(plans.map(({ id }) => id));
    this.#weights.reset();
    for (const plan of plans) {
      const rollout = this.of(plan);
      rollout.replan(plan);
      rollout.begin();
      this.#weights.set({ route: plan.route }, rollout.weight);
    }
    const former = [...this.#all.keys()].filter((id) => !this.#inForce.has(id));
    for (const id of former.slice(0, Math.max(0, former.length - MOST_FORMER))) this.#all.delete(id);
    if (plans.length === 0) return this.#rest();
    this.#deaf ??= this.#pubSub.listen(CHANNEL, (id) => {
      if (this.#inForce.has(id)) void this.#all.get(id)?.tick();
    });
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
    this.#tick();
  }

  /** Those of the configuration in force. */
  list(): readonly Rollout[] {
    return [...this.#inForce].flatMap((id) => this.#all.get(id) ?? []);
  }

  /** Does what an operator wants; undefined when no route of that name has a canary. */
  async wish(route: string, wish: WishName): Promise<Wish | undefined> {
    const rollout = this.list().find(({ plan }) => plan.route === route);
    return rollout?.wish(WISHES[wish] as RolloutStatus, `${wish} by an operator`);
  }

  onModuleDestroy(): void {
    this.#rest();
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#deaf?.();
    this.#deaf = undefined;
  }

  #tick(): void {
    for (const id of this.#inForce) void this.#all.get(id)?.tick();
  }

  readonly #changed = (rollout: Rollout, change: RolloutChange, isOwn: boolean): void => {
    const { route } = rollout.plan;
    if (this.#inForce.has(rollout.plan.id)) this.#weights.set({ route }, rollout.weight);
    const fields = { route, rollout: rollout.plan.id, ...change };
    const text = `canary of ${route}: ${change.to}, ${(change.weight * 100).toFixed(1)} % of the traffic: ${change.reason}`;
    this.#metrics.changes.note({
      kind: 'canary',
      route,
      text: isOwn ? text : `${text} (told by another replica)`,
    });
    if (!isOwn) return this.#logger.info({ ...fields, told: true }, text);
    this.#changes.count(route, change.to);
    const { canary, stable } = change;
    this.audit?.record({
      kind: 'canary',
      action: change.to,
      outcome: 'done',
      actor: { type: change.by === 'operator' ? 'admin' : 'gateway' },
      target: rollout.plan.id,
      route,
      reason: change.reason,
      details: {
        from: change.from,
        step: change.step + 1,
        weight: change.weight,
        canary: `${canary.failures} of ${canary.attempts} failed`,
        stable: `${stable.failures} of ${stable.attempts} failed`,
      },
    });
    if (change.to === 'aborted' || change.to === 'paused') this.#logger.warn(fields, text);
    else this.#logger.info(fields, text);
    // The others ask soon enough by themselves.
    this.#pubSub.publish(CHANNEL, rollout.plan.id).catch(() => undefined);
  };
}
