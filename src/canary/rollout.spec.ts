import { describe, expect, it } from '@jest/globals';
import { randomFrom } from '../../test/support/random.ts';
import { bucketOf } from './bucket.ts';
import type { RolloutPlan } from './rollout-plan.ts';
import { Rollout } from './rollout.ts';
import type { RolloutChange } from './rollout-state.ts';

const SECOND = 1000;
const { exp, floor } = Math;
const RATE = 200;
const WEIGHTS = [0.01, 0.05, 0.2, 0.5];

const plan = (more: Partial<RolloutPlan> = {}): RolloutPlan => ({
  id: 'one',
  route: 'users',
  steps: WEIGHTS.map((weight) => ({ weight, forMs: 10 * SECOND, requests: 30 })),
  ramps: true,
  tolerance: { errors: 0.01, p95: 1.2 },
  progressDeadlineMs: 600 * SECOND,
  warmUpMs: 0,
  ...more,
});

class Clock {
  ms = 0;
  readonly now = (): number => this.ms;
}

function begun(options: RolloutPlan = plan()) {
  const clock = new Clock();
  const changes: RolloutChange[] = [];
  const rollout = new Rollout(options, {
    now: clock.now,
    store: undefined,
    changed: (_, change) => changes.push(change),
  });
  return { rollout, clock, changes };
}

interface Run {
  readonly status: string;
  readonly share: number;
  readonly weights: readonly number[];
}

/** Drives one rollout with traffic of a seed until it ends, or for half an hour. */
function drive(seed: number, errors: { readonly canary: number; readonly stable: number }): Run {
  const random = randomFrom(seed);
  const { rollout, clock } = begun(plan({ id: `seed-${seed}` }));
  const weights = [rollout.weight];
  let [requests, failures] = [0, 0];
  for (let second = 0; second < 1800 && !rollout.isSettled; second += 1) {
    for (let i = 0; i < RATE; i += 1) {
      const side =
        bucketOf(rollout.plan.id, String(floor(random() * 1e6))) < rollout.weight ? 'canary' : 'stable';
      const isFailure = random() < errors[side];
      requests += 1;
      // Only what is the canary's doing counts.
      if (isFailure && side === 'canary') failures += 1;
      rollout.settled(side, isFailure, 5 * exp(random() + random()));
    }
    clock.ms += SECOND;
    void rollout.tick();
    if (rollout.weight !== weights.at(-1)) weights.push(rollout.weight);
  }
  return { status: rollout.state.status, share: failures / requests, weights };
}

describe('200 rollouts', () => {
  it('of a canary with 5 % of errors are all rolled back, each before 1 % of all requests have failed', () => {
    const runs = Array.from({ length: 200 }, (_, seed) => drive(seed, { canary: 0.05, stable: 0.001 }));
    expect(runs.filter(({ status }) => status !== 'aborted')).toEqual([]);
    expect(Math.max(...runs.map(({ share }) => share))).toBeLessThan(0.01);
    expect(runs.every(({ weights }) => weights.at(-1) === 0)).toBe(true);
  });

  it('of a canary as good as what there is reach 100 % by themselves, but for five of them at most', () => {
    const runs = Array.from({ length: 200 }, (_, seed) =>
      drive(1000 + seed, { canary: 0.002, stable: 0.002 }),
    );
    const good = runs.filter(({ status }) => status === 'promoted');
    expect(runs.length - good.length).toBeLessThanOrEqual(5);
    for (const { weights } of good) expect(weights).toEqual([...WEIGHTS, 1]);
  });
});

describe('Rollout', () => {
  const fill = (rollout: Rollout, n: number, ms = 10): void => {
    for (let i = 0; i < n; i += 1) {
      rollout.settled('stable', false, 10);
      rollout.settled('canary', false, ms);
    }
  };

  it('keeps everybody at the canary while its share grows', () => {
    const subjects = Array.from({ length: 2000 }, (_, i) => `user-${i}`);
    const { rollout, clock } = begun();
    let before = new Set<string>();
    for (let step = 0; step < 5; step += 1) {
      const now = new Set(subjects.filter((one) => bucketOf(rollout.plan.id, one) < rollout.weight));
      expect([...before].every((one) => now.has(one))).toBe(true);
      before = now;
      clock.ms += 10 * SECOND;
      fill(rollout, 1000);
      void rollout.tick();
    }
    expect(before.size).toBe(2000);
  });

  it('goes on neither before the time of a step is over nor with one request too few', () => {
    const early = begun();
    fill(early.rollout, 1000);
    early.clock.ms = 10 * SECOND - 1;
    early.rollout.judge();
    expect(early.rollout.state.step).toBe(0);
    early.clock.ms += 1;
    early.rollout.judge();
    expect(early.rollout.state.step).toBe(1);
    const few = begun();
    fill(few.rollout, 29);
    few.clock.ms = 20 * SECOND;
    few.rollout.judge();
    expect(few.rollout.state.step).toBe(0);
    fill(few.rollout, 1);
    few.rollout.judge();
    expect(few.rollout.state.step).toBe(1);
  });

  it('never gives more than 20 % to a canary of which nothing is proven', () => {
    const { rollout, clock } = begun();
    for (let i = 0; i < 16; i += 1) {
      clock.ms += 30 * SECOND;
      fill(rollout, 30);
      rollout.judge();
    }
    expect(rollout.weight).toBe(0.5);
    const unproven = begun();
    for (let i = 0; i < 10; i += 1) {
      unproven.clock.ms += 30 * SECOND;
      // Just enough requests for the steps, and too few for a verdict.
      if (unproven.rollout.state.step < 2 || i === 2) fill(unproven.rollout, 30);
      unproven.rollout.judge();
    }
    expect(unproven.rollout.weight).toBe(0.2);
  });

  it('holds without data, pauses after the progress deadline, says so, and is neither promoted nor rolled back', () => {
    const { rollout, clock, changes } = begun();
    clock.ms = 600 * SECOND - 1;
    void rollout.tick();
    expect(changes).toEqual([]);
    clock.ms += 1;
    void rollout.tick();
    expect(rollout.state).toMatchObject({ status: 'paused', step: 0 });
    expect(rollout.weight).toBe(0.01);
    expect(changes).toMatchObject([
      { to: 'paused', reason: 'too few requests within the progress deadline' },
    ]);
  });

  it('is over for good once it was aborted', async () => {
    const { rollout, clock } = begun();
    expect(await rollout.wish('aborted', 'by hand')).toBe('done');
    expect(rollout.weight).toBe(0);
    for (const status of ['running', 'paused', 'promoted', 'aborted'] as const)
      expect(await rollout.wish(status, 'by hand')).toBe('refused');
    clock.ms = 3600 * SECOND;
    fill(rollout, 1000);
    void rollout.tick();
    expect(rollout.weight).toBe(0);
  });

  it('is paused, resumed and promoted by hand', async () => {
    const { rollout, clock } = begun();
    expect(await rollout.wish('running', 'by hand')).toBe('refused');
    expect(await rollout.wish('paused', 'by hand')).toBe('done');
    fill(rollout, 1000);
    clock.ms = 60 * SECOND;
    void rollout.tick();
    expect(rollout.weight).toBe(0.01);
    expect(await rollout.wish('running', 'by hand')).toBe('done');
    expect(await rollout.wish('promoted', 'by hand')).toBe('done');
    expect(rollout.weight).toBe(1);
    // What went wrong after all is taken back by hand.
    expect(await rollout.wish('aborted', 'by hand')).toBe('done');
    expect(rollout.weight).toBe(0);
  });

  it('counts nothing while it warms up, but notices when more than a half fails', () => {
    const warm = begun(plan({ warmUpMs: 30 * SECOND }));
    for (let i = 0; i < 100; i += 1) warm.rollout.settled('canary', i % 2 === 1, 10);
    expect(warm.rollout.state.status).toBe('running');
    warm.clock.ms = 30 * SECOND;
    expect(warm.rollout.measured().isEmpty).toBe(true);
    const broken = begun(plan({ warmUpMs: 30 * SECOND }));
    for (let i = 0; i < 19; i += 1) broken.rollout.settled('canary', true, 10);
    expect(broken.rollout.state.status).toBe('running');
    broken.rollout.settled('canary', true, 10);
    expect(broken.rollout.state).toMatchObject({ status: 'aborted' });
  });

  it('is rolled back when its answers take longer', () => {
    const { rollout, changes, clock } = begun();
    for (let slice = 0; slice < 9; slice += 1) {
      expect(rollout.state.status).toBe('running');
      fill(rollout, 64, 40);
      clock.ms += 5 * SECOND;
      void rollout.tick();
    }
    expect(changes.at(-1)).toMatchObject({
      to: 'aborted',
      reason: expect.stringMatching(/^p95: 4\d\.\d ms, of stable/),
    });
  });

  it('is not judged by what only one side has', () => {
    const { rollout, clock } = begun();
    for (let i = 0; i < 1000; i += 1) rollout.settled('canary', false, 10);
    clock.ms = 60 * SECOND;
    rollout.judge();
    expect(rollout.state.step).toBe(0);
  });

  it('keeps the last 50 changes', async () => {
    const { rollout } = begun();
    for (let i = 0; i < 60; i += 1) await rollout.wish(i % 2 === 0 ? 'paused' : 'running', String(i));
    expect(rollout.changes).toHaveLength(50);
    expect(rollout.changes[0]?.reason).toBe('59');
  });
});
