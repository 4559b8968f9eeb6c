import { expect, it } from '@jest/globals';
import { randomFrom } from '../../test/support/random.ts';
import { Rollout, type RolloutPlan } from './rollout.ts';

const { cos, exp, log, sqrt, PI } = Math;
const SECOND = 1000;
/** Ramps of each kind. */
const RAMPS = 14;

/** The defaults, but for the time of a step. */
const plan = (id: string): RolloutPlan => ({
  id,
  route: 'r',
  steps: [0.01, 0.05, 0.2, 0.5].map((weight) => ({ weight, forMs: 10 * SECOND, requests: 100 })),
  ramps: true,
  tolerance: { errors: 0.01, p95: 1.2 },
  progressDeadlineMs: 600 * SECOND,
  warmUpMs: 0,
});

type Random = () => number;
const normal = (random: Random): number => sqrt(-2 * log(1 - random())) * cos(2 * PI * random());

/** How long answers take, the same at both sides. */
const LATENCIES: Readonly<Record<string, (random: Random) => number>> = {
  'log-normal': (random) => 20 * exp(normal(random)),
  'log-normal with a heavy tail': (random) => 20 * exp(2 * normal(random)),
  'of two kinds': (random) => (random() < 0.93 ? 5 : 400) * exp(0.2 * normal(random)),
  'of two kinds, divided at the p95': (random) => (random() < 0.95 ? 5 : 400) * exp(0.2 * normal(random)),
};

function ends(seed: number, of: (typeof LATENCIES)[string], perSecond: number, ratio: number): string {
  const random = randomFrom(seed);
  let ms = 0;
  const deps = { now: () => ms, store: undefined, changed: () => undefined };
  const rollout = new Rollout(plan(`s${seed}`), deps);
  for (let second = 0; second < 900 && !rollout.isSettled; second += 1) {
    for (let i = 0; i < perSecond; i += 1) {
      const side = random() < rollout.weight ? 'canary' : 'stable';
      rollout.settled(side, false, of(random) * (side === 'canary' ? ratio : 1));
    }
    ms += SECOND;
    void rollout.tick();
  }
  return rollout.state.status;
}

const KINDS = Object.entries(LATENCIES).flatMap(([name, of]) =>
  [40, 100].map((rate) => [name, rate, of] as const),
);

const aborted = (count: number, kind: (typeof KINDS)[number], ratio: number): number => {
  const [, rate, of] = kind;
  return Array.from({ length: count }, (_, at) => ends(at * 7919 + rate, of, rate, ratio)).filter(
    (status) => status === 'aborted',
  ).length;
};

it('of 112 whole ramps of a canary whose answers take as long as the others, none is rolled back: less than 1 %', () => {
  const lost = KINDS.map((kind) => [`${kind[0]}, ${kind[1]}/s`, aborted(RAMPS, kind, 1)]);
  expect(lost).toEqual(KINDS.map((kind) => [`${kind[0]}, ${kind[1]}/s`, 0]));
});

it('a canary that takes three times as long is rolled back', () => {
  const [kind] = KINDS.filter(([name, rate]) => name === 'log-normal' && rate === 100);
  expect(kind && aborted(10, kind, 3)).toBe(10);
});
