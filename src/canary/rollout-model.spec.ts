import { expect, it } from '@jest/globals';
import { randomFrom } from '../../test/support/random.ts';
import type { RolloutPlan } from './rollout-plan.ts';
import { Rollout } from './rollout.ts';
import type { RolloutStatus } from './rollout-state.ts';

const [ALPHA, BETA, Z] = [0.001, 0.05, 1.645];
const WEIGHTS = [0.01, 0.05, 0.2, 0.5] as const;

type Side = 'canary' | 'stable';

/** A ramp in the fewest words: lists of what failed. */
class Model {
  now = 0;
  status: RolloutStatus = 'running';
  step = 0;
  #stepAt = 0;
  #seen: Record<Side, boolean[]> = { canary: [], stable: [] };
  readonly #warm: boolean[] = [];
  #unlooked = 0;
  readonly #plan: RolloutPlan;

  constructor(plan: RolloutPlan) {
    this.#plan = plan;
  }

  get weight(): number {
    if (this.status === 'aborted') return 0;
    return this.status === 'promoted' ? 1 : (WEIGHTS[this.step] as number);
  }

  get isOver(): boolean {
    return this.status === 'aborted' || this.status === 'promoted';
  }

  settled(side: Side, failed: boolean): void {
    if (this.isOver) return;
    if (this.now < this.#plan.warmUpMs) {
      if (side === 'canary') this.#warm.push(failed);
      const bad = this.#warm.filter(Boolean).length;
      if (side === 'canary' && this.#warm.length >= 20 && bad > this.#warm.length / 2) this.become('aborted');
      return;
    }
    this.#seen[side].push(failed);
    if (side === 'stable') return;
    this.#unlooked += 1;
    if (failed || this.#unlooked === 16) this.look();
  }

  hasGood(side: Side): boolean {
    return this.#seen[side].includes(false);
  }

  /** One that was good has broken off. */
  broke(side: Side): void {
    if (this.isOver) return;
    this.#seen[side][this.#seen[side].indexOf(false)] = true;
    this.look();
  }

  look(): void {
    this.#unlooked = 0;
    if (this.status !== 'running') return;
    const verdict = this.#verdict();
    if (verdict === 'bad') return this.become('aborted');
    const spent = this.now - this.#stepAt;
    const { forMs = 0, requests = 0 } = this.#plan.steps[this.step] ?? {};
    if (spent < forMs) return;
    const next = WEIGHTS[this.step + 1] ?? 1;
    const isEnough = Object.values(this.#seen).every((side) => side.length >= requests);
    if (isEnough && (next <= 0.2 || verdict === 'good')) {
      this.become(next === 1 ? 'promoted' : 'running', this.step + 1);
    } else if (spent >= this.#plan.progressDeadlineMs) this.become('paused');
  }

  /** @returns whether an operator may have that. */
  wish(status: RolloutStatus): boolean {
    const from: Record<RolloutStatus, readonly RolloutStatus[]> = {
      running: ['paused'],
      paused: ['running'],
      promoted: ['running', 'paused'],
      aborted: ['running', 'paused', 'promoted'],
    };
    const isAllowed = from[status].includes(this.status);
    if (isAllowed) this.become(status);
    return isAllowed;
  }

  become(status: RolloutStatus, step = this.step): void {
    if (step !== this.step) this.#seen = { canary: [], stable: [] };
    [this.status, this.step, this.#stepAt] = [status, step, this.now];
  }

  /** How much likelier what was seen is of a bad canary than of one like the stable side (Wald 1945). */
  #verdict(): 'good' | 'bad' | 'open' {
    const [n, all] = [this.#seen.canary.length, this.#seen.stable.length];
    const failures = this.#seen.canary.filter(Boolean).length;
    const rate = this.#seen.stable.filter(Boolean).length / all;
    const root = Math.sqrt(rate * (1 - rate) * all + Z ** 2 / 4);
    const upper = all === 0 ? 1 : (rate * all + Z ** 2 / 2 + Z * root) / (all + Z ** 2);
    const p0 = Math.min(0.5, Math.max(0.001, upper));
    const p1 = Math.min(0.95, Math.max(p0 + (this.#plan.tolerance?.errors ?? 0), 2 * p0));
    const likelier = failures * Math.log(p1 / p0) + (n - failures) * Math.log((1 - p1) / (1 - p0));
    if (likelier >= Math.log((1 - BETA) / ALPHA)) return 'bad';
    return likelier <= Math.log(BETA / (1 - ALPHA)) ? 'good' : 'open';
  }
}

const ENDS = new Set<string>();

it.each(Array.from({ length: 60 }, (_, seed) => seed))('a ramp does what its model does, seed %i', (seed) => {
  const random = randomFrom(seed);
  const pick = (below: number): number => Math.floor(random() * below);
  const plan: RolloutPlan = {
    id: 'one',
    route: 'users',
    steps: WEIGHTS.map((weight) => ({ weight, forMs: 1000 * pick(20), requests: 1 + pick(60) })),
    ramps: true,
    tolerance: { errors: 0.01, p95: undefined },
    progressDeadlineMs: 60_000,
    warmUpMs: 1000 * pick(2) * pick(30),
  };
  const model = new Model(plan);
  const rollout = new Rollout(plan, { now: () => model.now, store: undefined, changed: () => undefined });
  const bad = [0, 0, 0.02, 0.1, 0.7][seed % 5] as number;
  const wishes = seed % 3 === 0 ? 0.001 : 0;
  for (let step = 0; step < 4000; step += 1) {
    const what = random();
    const side: Side = random() < 0.4 ? 'canary' : 'stable';
    if (what < wishes) {
      const status = (['running', 'paused', 'promoted', 'aborted'] as const)[
        pick(3 + pick(2))
      ] as RolloutStatus;
      const before = rollout.state.version;
      void rollout.wish(status, 'by hand');
      expect(rollout.state.version > before).toBe(model.wish(status));
    } else if (what < 0.005 && model.hasGood(side)) {
      rollout.broke(side);
      model.broke(side);
    } else if (what < 0.05) {
      model.now += pick(2000);
      void rollout.tick();
      model.look();
    } else {
      const failed = random() < (side === 'canary' ? bad : 0.001);
      rollout.settled(side, failed, 10);
      model.settled(side, failed);
    }
    const { state, weight } = rollout;
    // `expect` is too slow for so many.
    if (state.status !== model.status || state.step !== model.step || weight !== model.weight)
      expect([step, state.status, state.step, weight]).toEqual([
        step,
        model.status,
        model.step,
        model.weight,
      ]);
  }
  ENDS.add(model.status);
});

it('has ended in every way', () => {
  expect([...ENDS].sort()).toEqual(['aborted', 'paused', 'promoted']);
});
