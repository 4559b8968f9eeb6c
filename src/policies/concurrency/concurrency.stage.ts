import { Injectable, Optional } from '@nestjs/common';
import { callerOf } from '../../exchange/caller-of.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { depends, passes, type StageVerdict } from '../explained-stage.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import type { Stage } from '../stage.ts';
import { CONCURRENCY_KEYS, concurrencyPolicy, type ConcurrencyRule } from './concurrency.policy.ts';
import { Places, type PlaceOwner, type PlaceRequest, type PlaceWaiter } from './places.ts';

/** How soon to ask again; requests come and go. */
const RETRY_AFTER = { 'retry-after': '1' } as const;

/** A rule of a route, ready to be counted. */
interface CompiledRule extends ConcurrencyRule {
  readonly owner: PlaceOwner;
  /** To which the caller is added where each has places of its own. */
  readonly prefix: string;
}

/** Gives each exchange a place of every rule, and takes it back when the exchange closes, however that comes. */
class ConcurrencyStage implements Stage {
  readonly #routeId: string;
  readonly #rules: readonly CompiledRule[];
  readonly #places: Places;
  readonly #metrics: Metrics | undefined;
  readonly #held = new WeakSet<Exchange>();

  constructor(routeId: string, rules: readonly CompiledRule[], places: Places, metrics: Metrics | undefined) {
    this.#routeId = routeId;
    this.#rules = rules;
    this.#places = places;
    this.#metrics = metrics;
  }

  enter(exchange: Exchange): void | Promise<void> {
    // An exchange has one place, however many adapters of this stage it meets.
    if (this.#held.has(exchange)) return undefined;
    this.#held.add(exchange);
    return this.#takeFrom(0, exchange);
  }

  /** Looks at places without taking one. */
  explain(exchange: Exchange): StageVerdict {
    const facts = this.#rules.map((rule) => {
      const { taken, waiting } = this.#places.look(keyOf(rule, exchange));
      return { rule, taken, waiting, isFull: waiting > 0 || taken >= rule.max };
    });
    const shown = Object.fromEntries(
      facts.map(({ rule, taken, waiting }) => [rule.key, `${taken} of ${rule.max}, ${waiting} waiting`]),
    );
    if (facts.some(({ isFull }) => isFull)) return depends('it would have to wait for a place', shown);
    return passes(shown);
  }

  #takeFrom(first: number, exchange: Exchange): void | Promise<void> {
    for (let i = first; i < this.#rules.length; i += 1) {
      const rule = this.#rules[i] as CompiledRule;
      const waiting = this.#take(rule, exchange);
      if (waiting !== undefined) return waiting.then(() => this.#takeFrom(i + 1, exchange));
    }
    return undefined;
  }

  #take(rule: CompiledRule, exchange: Exchange): undefined | Promise<void> {
    // Who has left takes no place from others.
    if (exchange.cancelled !== undefined) throw exchange.cancelled;
    const caller = callerOf(exchange);
    const key = rule.key === 'principal' ? rule.prefix + caller : rule.prefix;
    const place = new Place(this.#places, key, exchange);
    const wait = { caller, max: rule.queue, waitMs: rule.wait, order: rule.order };
    const outcome = place.take({ owner: rule.owner, most: rule.max, wait });
    if (outcome === 'full') throw this.#refused(rule);
    if (outcome === 'taken') return undefined;
    return place.turn.then((isGranted) => {
      if (!isGranted) throw exchange.cancelled ?? this.#refused(rule);
    });
  }

  #refused({ key }: CompiledRule): Problem {
    this.#metrics?.overload.refused(this.#routeId, 'concurrency-limited', key);
    return new Problem('concurrency-limited', { headers: RETRY_AFTER, by: key });
  }
}

/** One place of one exchange: asked for, waited for, taken, given back. */
class Place implements PlaceWaiter {
  readonly #places: Places;
  readonly #key: string;
  readonly #exchange: Exchange;
  #state: 'none' | 'waits' | 'taken' = 'none';
  #settle: ((isGranted: boolean) => void) | undefined = undefined;
  #turn: Promise<boolean> | undefined = undefined;

  constructor(places: Places, key: string, exchange: Exchange) {
    this.#places = places;
    this.#key = key;
    this.#exchange = exchange;
  }

  /** Resolves when its turn has come, with true, or when it is known that it never does. */
  get turn(): Promise<boolean> {
    return (this.#turn ??= new Promise((resolve) => (this.#settle = resolve)));
  }

  take(asked: PlaceRequest): 'taken' | 'waits' | 'full' {
    const outcome = this.#places.take(this.#key, asked, this);
    if (outcome === 'full') return outcome;
    this.#state = outcome;
    if (outcome === 'waits') void this.turn;
    // Whoever leaves frees his place in the queue at once; whoever is done his place, whatever became of him.
    if (outcome === 'waits') this.#exchange.onCancel(this.#leave);
    this.#exchange.onClosed(this.#leave);
    return outcome;
  }

  granted(): void {
    this.#exchange.offCancel(this.#leave);
    this.#state = 'taken';
    this.#settle?.(true);
  }

  refused(): void {
    this.#exchange.offCancel(this.#leave);
    this.#state = 'none';
    this.#settle?.(false);
  }

  readonly #leave = (): void => {
    const state = this.#state;
    this.#state = 'none';
    if (state === 'taken') this.#places.release(this.#key);
    if (state !== 'waits') return;
    this.#places.leave(this.#key, this);
    this.#settle?.(false);
  };
}

function keyOf({ key, prefix }: CompiledRule, exchange: Exchange): string {
  return key === 'principal' ? prefix + callerOf(exchange) : prefix;
}

/** Compiles the `concurrency` policy; places go on from one configuration to the next. */
@Injectable()
export class ConcurrencyStageFactory implements StageFactory {
  readonly policy = concurrencyPolicy;
  readonly #places = new Places();

  constructor(@Optional() private readonly metrics?: Metrics) {}

  compile({ policies: { concurrency }, routeId, budgetOf = routeId }: StageInput): Stage | undefined {
    if (concurrency === undefined) return undefined;
    this.metrics?.overload.showSlots(() => this.#places.shown());
    const rules = concurrency
      .map((rule) => compiled(rule, budgetOf))
      // Narrow ones first: who waits for a place of his own keeps none of the route meanwhile.
      .sort((a, b) => breadthOf(a) - breadthOf(b));
    return new ConcurrencyStage(routeId, rules, this.#places, this.metrics);
  }
}

// No id has a line break.
function compiled(rule: ConcurrencyRule, budgetOf: string): CompiledRule {
  const route = rule.scope === 'gateway' ? '(all)' : budgetOf;
  return { ...rule, owner: { route, key: rule.key }, prefix: `${rule.scope}\n${route}\n${rule.key}\n` };
}

function breadthOf({ key, scope }: ConcurrencyRule): number {
  return CONCURRENCY_KEYS.indexOf(key) * 2 + (scope === 'gateway' ? 1 : 0);
}

/** Registers the policy in THE ORDER. */
export const concurrency = { policy: concurrencyPolicy, factory: ConcurrencyStageFactory };
