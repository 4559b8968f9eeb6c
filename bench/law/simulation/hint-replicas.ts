import { Breaker } from '../../../src/policies/circuit-breaker/breaker.ts';
import { circuitBreakerPolicy } from '../../../src/policies/circuit-breaker/circuit-breaker.policy.ts';
import { BreakerHints, type HintedTarget } from '../../../src/upstreams/health/breaker-hints.ts';
import { randomFrom } from '../../../test/support/random.ts';
import { RedisModel, type RoundTrip } from './redis-model.ts';
import { VirtualTime } from './virtual-time.ts';

const UPSTREAM = 'users';
const TARGET = 'http://10.0.0.1:4101';

/** How many replicas call one target, and how it goes with it. */
export interface HintWorldOptions {
  readonly replicas: number;
  /** Calls of each replica to the target in a second. */
  readonly perSecond: number;
  /** How long it is dead, in ms, and for how long it is looked at in all. */
  readonly deadMs: number;
  readonly ms: number;
  readonly seed: number;
  readonly trip?: RoundTrip | undefined;
}

/** What became of it. */
export interface HintOutcome {
  readonly publishes: number;
  readonly deliveries: number;
  /** From the first breaker that opens until all are open, in ms. */
  readonly agreedMs: number;
  /** Calls that failed, of all replicas. */
  readonly failures: number;
  /** What Redis works for it, in ms. */
  readonly redisMs: number;
}

/** Replicas with a breaker each for the same target, which dies and comes back; breakers and hints are those of production. */
export async function hintReplicas(options: HintWorldOptions): Promise<HintOutcome> {
  const { replicas, perSecond, deadMs, ms, seed } = options;
  const time = new VirtualTime();
  const model = new RedisModel(time, seed, options.trip);
  const random = randomFrom(seed + 1);
  const listeners: ((message: string) => void)[] = [];
  let [publishes, failures, firstAt, allAt] = [0, 0, NaN, NaN];
  const open = new Set<number>();
  const channel = {
    publish: (_channel: string, message: string): Promise<void> => {
      publishes += 1;
      model.publish(listeners.map((listener) => () => listener(message)));
      return Promise.resolve();
    },
    listen: (_channel: string, listener: (message: string) => void) => {
      listeners.push(listener);
      return () => undefined;
    },
  };
  const uninstall = time.install();
  try {
    for (let index = 0; index < replicas; index += 1) {
      const watch: { -readonly [Key in keyof HintedTarget]: HintedTarget[Key] } = {
        upstream: UPSTREAM,
        origin: TARGET,
        breaker: undefined,
      };
      const hints = new BreakerHints(`replica-${index}`, () => [watch]);
      hints.start(channel);
      const breaker = new Breaker(circuitBreakerPolicy.schema.parse({}), {
        onChange: (change) => {
          hints.tell(watch, change);
          if (change.state !== 'open' || !Number.isNaN(allAt)) return;
          if (open.size === 0) firstAt = time.now;
          if (open.add(index).size === replicas) allAt = time.now;
        },
      });
      watch.breaker = breaker;
      const call = (): void => {
        const admission = breaker.admit();
        const isDead = time.now < deadMs;
        if (admission !== 0) breaker.settle(admission, isDead ? 'failure' : 'success');
        if (admission !== 0 && isDead) failures += 1;
        time.after(-Math.log(1 - random()) * (1000 / perSecond), call);
      };
      time.after(random() * (1000 / perSecond), call);
    }
    await time.runUntil(ms);
  } finally {
    uninstall();
  }
  return {
    publishes,
    deliveries: model.deliveries,
    agreedMs: allAt - firstAt,
    failures,
    redisMs: model.busyMs,
  };
}
