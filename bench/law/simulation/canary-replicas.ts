import { Rollout } from '../../../src/canary/rollout.ts';
import type { RolloutPlan } from '../../../src/canary/rollout-plan.ts';
import { BEGINNING, type RolloutChange, type RolloutState } from '../../../src/canary/rollout-state.ts';
import type { Changed, RolloutStore, Synced } from '../../../src/canary/rollout-store.ts';
import { Tally } from '../../../src/canary/tally.ts';
import { randomFrom } from '../../../test/support/random.ts';
import { CANARY_US, TICK_MS } from './constants.ts';
import { RedisModel, type RoundTrip } from './redis-model.ts';
import { VirtualTime } from './virtual-time.ts';

const PLAN: RolloutPlan = {
  id: 'users:1',
  route: 'users',
  steps: [0.01, 0.05, 0.2, 0.5].map((weight) => ({ weight, forMs: 5000, requests: 30 })),
  ramps: true,
  tolerance: { errors: 0.01, p95: undefined },
  progressDeadlineMs: 600_000,
  warmUpMs: 0,
};

/** How many replicas roll the same canary out. */
export interface CanaryWorldOptions {
  readonly replicas: number;
  /** Requests of all replicas in a second. */
  readonly perSecond: number;
  /** Share of the requests to the canary that fail. */
  readonly errors: number;
  readonly ms: number;
  readonly seed: number;
  readonly trip?: RoundTrip | undefined;
}

/** What became of it. */
export interface CanaryOutcome {
  readonly commands: number;
  readonly deliveries: number;
  readonly changes: number;
  readonly status: string;
  /** From a change until the last replica has it, in ms, of the slowest change. */
  readonly agreedMs: number;
  /** The share of a core that Redis works. */
  readonly redis: number;
}

/** What the scripts of `RedisRolloutStore` do, with nobody else in between. */
class SharedRollout {
  state: RolloutState = BEGINNING;
  readonly changes: RolloutChange[] = [];
  readonly #tallies = new Map<number, Tally>();

  sync(step: number, measured: Tally): Synced {
    const known = this.#tallies.get(step) ?? new Tally();
    known.add(measured);
    this.#tallies.set(step, known);
    const tally = new Tally();
    tally.add(known);
    return { state: this.state, tally, changes: [...this.changes] };
  }

  change(version: number, next: RolloutState, change: RolloutChange | undefined): Changed {
    if (this.state.version !== version || this.state.status === 'aborted')
      return { isDone: false, state: this.state };
    this.state = next;
    if (change !== undefined) this.changes.unshift(change);
    return { isDone: true, state: next };
  }
}

/** Replicas of which each rolls out by the machine of production; what stands in for Redis does what its scripts do. */
export async function canaryReplicas(options: CanaryWorldOptions): Promise<CanaryOutcome> {
  const { replicas, perSecond, errors, ms, seed } = options;
  const time = new VirtualTime();
  const model = new RedisModel(time, seed, options.trip);
  const random = randomFrom(seed + 1);
  const shared = new SharedRollout();
  const ask = <T>(execute: () => T): Promise<T> =>
    new Promise((resolve) => model.send(CANARY_US, execute, resolve));
  const store: RolloutStore = {
    sync: (_id, { step }, measured) => ask(() => shared.sync(step, measured)),
    change: (_id, version, next, change) => ask(() => shared.change(version, next, change)),
  };
  const heard = new Map<number, { readonly at: number; count: number }>();
  let agreedMs = 0;
  const tell = (): void => model.publish(all.map((rollout) => () => void rollout.tick()));
  const changed = ({ state: { version } }: Rollout, _change: RolloutChange, isOwn: boolean): void => {
    const known = heard.get(version) ?? { at: time.now, count: 0 };
    heard.set(version, known);
    if ((known.count += 1) === replicas) agreedMs = Math.max(agreedMs, time.now - known.at);
    if (isOwn) tell();
  };
  const all = Array.from(
    { length: replicas },
    () => new Rollout(PLAN, { now: () => time.now, store, changed }),
  );
  for (const rollout of all) time.every(TICK_MS, random() * TICK_MS, () => void rollout.tick());
  const request = (): void => {
    const rollout = all[Math.floor(random() * replicas)] as Rollout;
    const side = random() < rollout.weight ? 'canary' : 'stable';
    rollout.settled(side, random() < (side === 'canary' ? errors : 0.0005), 10);
    time.after(-Math.log(1 - random()) * (1000 / perSecond), request);
  };
  request();
  await time.runUntil(ms, true);
  return {
    commands: model.commands,
    deliveries: model.deliveries,
    changes: shared.changes.length,
    status: shared.state.status,
    agreedMs,
    redis: model.busyMs / ms,
  };
}
