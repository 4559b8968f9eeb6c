import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { randomFrom } from '../../../test/support/random.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import type { Target } from '../target.ts';
import { nameOf, targetOf } from './balancing.fixture.ts';
import { balancerOf, type Balancer } from './balancer.ts';
import { ConsistentHash } from './consistent-hash.ts';
import { maglevTable } from './maglev-table.ts';
import { DECAY_MS, PeakEwma } from './peak-ewma.ts';
import { mixed, textHash } from './text-hash.ts';

/** Chooses by the plainest code that says what a balancer promises. */
interface Model {
  choose(targets: readonly Target[], key: string, all: readonly Target[]): Target;
  /** Hears that a call has ended. */
  ended?(target: Target, outcome: Outcome, ms: number): void;
}

type Outcome = 'answered' | 'failed' | 'abandoned';

const OUTCOMES = ['answered', 'failed', 'abandoned'] as const;

/** Each gets its share added, the richest pays for all; who has the same share takes turns. */
class Turns implements Model {
  readonly #credits = new Map<Target, number>();
  #turn = 0;

  choose(targets: readonly Target[]): Target {
    const total = targets.reduce((sum, { share }) => sum + share, 0);
    if (targets.every(({ share }) => share === targets[0]?.share))
      return targets[(this.#turn = (this.#turn + 1) % targets.length)] as Target;
    for (const one of targets) this.#credits.set(one, this.#of(one) + one.share);
    const most = Math.max(...targets.map((one) => this.#of(one)));
    const richest = targets.find((one) => this.#of(one) === most) as Target;
    this.#credits.set(richest, most - total);
    return richest;
  }

  #of(target: Target): number {
    return this.#credits.get(target) ?? 0;
  }
}

/** Who has the least to do; of those, whose turn it is, else the first. */
class Least implements Model {
  readonly #turns = new Turns();

  choose(targets: readonly Target[]): Target {
    const next = this.#turns.choose(targets);
    const loads = targets.map((one) => this.loadOf(one, targets));
    const least = Math.min(...loads);
    return loads[targets.indexOf(next)] === least ? next : (targets[loads.indexOf(least)] as Target);
  }

  protected loadOf({ inFlight, share }: Target, _all: readonly Target[]): number {
    return inFlight / share;
  }
}

/** The same by the time until an answer, of which the past fades. */
class Soonest extends Least {
  readonly #costs = new Map<Target, { cost: number; at: number }>();

  protected override loadOf(target: Target, all: readonly Target[]): number {
    const usual = all.reduce((sum, { share }) => sum + share, 0) / all.length;
    return this.#cost(target) * (1 + (target.inFlight * usual) / target.share);
  }

  ended(target: Target, outcome: Outcome, ms: number): void {
    const now = performance.now();
    const known = this.#costs.get(target);
    if (outcome === 'abandoned') {
      if (ms > this.#cost(target)) this.#costs.set(target, { cost: ms, at: now });
      return;
    }
    const took = outcome === 'failed' ? Math.max(ms, 1000) : ms;
    const left = known === undefined ? 0 : Math.exp((known.at - now) / DECAY_MS);
    const past = known?.cost ?? 0;
    this.#costs.set(target, { cost: took > past ? took : past * left + took * (1 - left), at: now });
  }

  #cost(target: Target): number {
    const known = this.#costs.get(target);
    if (known === undefined) return 30;
    return Math.max(1, known.cost * Math.exp((known.at - performance.now()) / DECAY_MS));
  }
}

/** The place of a key in the table of all; from a place whose target cannot be had, to another. */
class Places implements Model {
  choose(targets: readonly Target[], key: string, all: readonly Target[]): Target {
    const table = maglevTable(all.map(({ address, weight }) => ({ key: address, weight })));
    const owner = (hash: number): Target => all[table[hash % table.length] as number] as Target;
    let hash = textHash(key, 0xbb67ae85);
    for (let probe = 0; probe < 8; probe += 1) {
      if (targets.includes(owner(hash))) return owner(hash);
      hash = mixed(hash + probe);
    }
    const rank = ({ address }: Target): number =>
      mixed(textHash(key, 0x1f83d9ab) ^ textHash(address, 0x1f83d9ab));
    return [...targets].sort((a, b) => rank(b) - rank(a))[0] as Target;
  }
}

const asked = { query: '' } as { query: string };
const byQuery = (): Balancer => new ConsistentHash(({ query }) => query);

const KINDS: readonly (readonly [string, () => Balancer, () => Model, steps: number])[] = [
  ['roundRobin', () => balancerOf('roundRobin'), () => new Turns(), 1500],
  ['leastRequests', () => balancerOf('leastRequests'), () => new Least(), 1500],
  ['ewma', () => balancerOf('ewma'), () => new Soonest(), 1500],
  ['consistentHash', byQuery, () => new Places(), 60],
];
const ROWS = KINDS.flatMap((kind) => Array.from({ length: 10 }, (_, seed) => [...kind, seed] as const));

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

it.each(ROWS)('%s does what its model does, seed %#', (_name, makeBalancer, makeModel, steps, seed) => {
  const random = randomFrom(seed);
  const pick = (below: number): number => Math.floor(random() * below);
  const [balancer, model] = [makeBalancer(), makeModel()];
  let made = 0;
  const make = (): Target => {
    // Whole numbers, and parts as while a target starts slowly.
    const target = targetOf(`t${(made += 1)}`, { weight: 1 + pick(seed % 3 === 0 ? 1 : 5) });
    if (seed % 4 === 1) target.share = target.weight * (0.1 + pick(10) / 10);
    target.latency = new PeakEwma();
    return target;
  };
  let all: readonly Target[] = Array.from({ length: 2 + pick(6) }, make);
  let some = all;
  const calls: [Target, number][] = [];
  const seen = new Set<string>();
  for (let step = 0; step < steps; step += 1) {
    const what = random();
    if (what < 0.02) {
      // One goes or comes, as by discovery.
      all =
        all.length > 2 && pick(2) === 0 ? all.filter((_one, at) => at !== 0) : [...all, make()].slice(-20);
      some = all;
    } else if (what < 0.06) {
      const left = all.filter(() => random() < 0.7);
      some = left.length === 0 || left.length === all.length ? all : left;
    } else if (what < 0.5 && calls.length > 0) {
      const [[target, since]] = calls.splice(pick(calls.length), 1) as [[Target, number]];
      const outcome = OUTCOMES[random() < 0.8 ? 0 : pick(3)] as Outcome;
      const ms = performance.now() - since;
      target.inFlight -= 1;
      target.latency?.[outcome](ms, performance.now());
      model.ended?.(target, outcome, ms);
    } else {
      asked.query = `key ${pick(500)}`;
      const expected = model.choose(some, asked.query, all);
      const chosen = balancer.choose(some, asked as unknown as Exchange, all);
      // `expect` is too slow for so many.
      if (chosen !== expected) expect([step, nameOf(chosen)]).toEqual([step, nameOf(expected)]);
      chosen.inFlight += 1;
      calls.push([chosen, performance.now()]);
      seen.add(nameOf(chosen));
    }
    jest.advanceTimersByTime(pick(40));
  }
  expect(seen.size).toBeGreaterThan(1);
});
