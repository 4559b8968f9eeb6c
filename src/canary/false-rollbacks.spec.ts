import { expect, it } from '@jest/globals';
import { randomFrom } from '../../test/support/random.ts';
import type { RolloutPlan } from './rollout-plan.ts';
import { Rollout } from './rollout.ts';

const { cos, exp, floor, log, max, sqrt, PI } = Math;
const SECOND = 1000;
const PER_SECOND = 60;
/** Ramps of each kind. */
const RAMPS = 50;

/** The defaults, but for what warms up. */
const plan = (id: string): RolloutPlan => ({
  id,
  route: 'r',
  steps: [0.01, 0.05, 0.2, 0.5].map((weight) => ({ weight, forMs: 60 * SECOND, requests: 100 })),
  ramps: true,
  tolerance: { errors: 0.01, p95: 1.2 },
  progressDeadlineMs: 600 * SECOND,
  warmUpMs: 0,
});

type Random = () => number;
const normal = (random: Random): number => sqrt(-2 * log(1 - random())) * cos(2 * PI * random());
/** Draws from many that were drawn before: quicker. */
const pooled = (of: (random: Random) => number): ((random: Random) => number) => {
  const pool = Float64Array.from({ length: 20_000 }, of.bind(undefined, randomFrom(1)));
  return (random) => pool[floor(random() * pool.length)] as number;
};

/** How long answers take. */
const LATENCIES = {
  'log-normal': pooled((random) => 20 * exp(normal(random))),
  'log-normal with a heavy tail': pooled((random) => 20 * exp(2 * normal(random))),
  'of two kinds': pooled((random) => (random() < 0.93 ? 5 : 400) * exp(0.2 * normal(random))),
  'of two kinds, divided at the p95': pooled(
    (random) => (random() < 0.95 ? 5 : 400) * exp(0.2 * normal(random)),
  ),
} as const;
type Shape = keyof typeof LATENCIES;

/** Holds targets up for 1–3 s once in 20 s: those of one side, of the other, or of both. */
class Stalls {
  readonly until = { canary: 0, stable: 0 };

  pass(random: Random, ms: number): void {
    if (random() >= 1 / 20) return;
    const [who, end] = [floor(random() * 3), ms + SECOND + random() * 2 * SECOND];
    if (who !== 1) this.until.canary = max(this.until.canary, end);
    if (who !== 2) this.until.stable = max(this.until.stable, end);
  }
}

interface End {
  readonly status: string;
  readonly seconds: number;
}

function ramp(seed: number, shape: Shape, ratio: number, isStalling: boolean): End {
  const random = randomFrom(seed);
  const of = LATENCIES[shape];
  let [ms, seconds] = [0, 0];
  const rollout = new Rollout(plan(`s${seed}`), {
    now: () => ms,
    store: undefined,
    changed: () => undefined,
  });
  const stalls = new Stalls();
  for (; seconds < 3600 && rollout.state.status === 'running'; seconds += 1) {
    if (isStalling) stalls.pass(random, ms);
    for (let i = 0; i < PER_SECOND; i += 1) {
      const side = random() < rollout.weight ? 'canary' : 'stable';
      const held = max(0, stalls.until[side] - ms - (i * SECOND) / PER_SECOND);
      rollout.settled(side, false, held + of(random) * (side === 'canary' ? ratio : 1));
    }
    ms += SECOND;
    void rollout.tick();
  }
  return { status: rollout.state.status, seconds };
}

const ramps = (count: number, shape: Shape, ratio: number, isStalling: boolean): readonly End[] =>
  Array.from({ length: count }, (_, at) => ramp(at * 7919 + count, shape, ratio, isStalling));
const lost = (ends: readonly End[]): number => ends.filter(({ status }) => status === 'aborted').length;
const SHAPES = Object.keys(LATENCIES) as Shape[];

it('of 400 ramps of a canary that is as quick, half of them with stalls of whole seconds, one at most is rolled back', () => {
  const good = SHAPES.flatMap((shape) => [false, true].flatMap((stalls) => ramps(RAMPS, shape, 1, stalls)));
  expect(good).toHaveLength(400);
  expect(lost(good)).toBeLessThanOrEqual(1);
  // And that is not because they get stuck.
  expect(good.filter(({ status }) => status === 'promoted').length).toBeGreaterThan(390);
});

it.each([false, true])('a canary that is slow is rolled back, stalls: %s', (isStalling) => {
  const twice = SHAPES.flatMap((shape) => ramps(8, shape, 2, isStalling));
  const caught = twice.filter(({ status }) => status === 'aborted');
  expect(caught.length).toBeGreaterThanOrEqual(0.9 * twice.length);
  const seconds = caught.map((one) => one.seconds).sort((a, b) => a - b);
  // From 1 % on, of 60 requests in a second.
  expect(seconds[floor(seconds.length / 2)]).toBeLessThan(360);
  expect(SHAPES.map((shape) => lost(ramps(4, shape, 3, isStalling)))).toEqual(SHAPES.map(() => 4));
});
