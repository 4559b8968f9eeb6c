import type { Exchange } from '../../exchange/exchange.ts';
import { isIn } from '../../exchange/subset.ts';
import { Target } from '../target.ts';
import type { Balancer } from './balancer.ts';
import { paceAt } from './slow-start.ts';
import {
  BREAKER_OPEN,
  FULL,
  levelsOf,
  stateOf,
  UNHEALTHY,
  WITHDRAWN,
  waysOf,
  type Level,
  type Way,
} from './ways.ts';

/** Whose targets they are. */
export interface TargetSource {
  /** A list that is never changed, but may be replaced. */
  readonly targets: readonly Target[];
}

/** How targets of a pool are chosen. */
export interface PoolOptions {
  /** Zone of the gateway; undefined where zones mean nothing. */
  readonly local: string | undefined;
  /** In ms; 0 for none. */
  readonly slowStartMs: number;
  readonly panicThreshold: number;
  /** Whether a full target gets no call at all; else it does while all are full, and the call waits for a connection. */
  readonly isStrict: boolean;
  /** Which targets of the source it has. Default: all. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/**
 * The targets of an upstream, or of a part of it, among which one is chosen. What is available is looked at one by one only
 * while something is not: as long as all are, the balancer chooses among all, and only the chosen one is looked at.
 */
export class TargetPool {
  readonly #source: TargetSource;
  readonly #balancer: Balancer;
  readonly #options: PoolOptions;
  #seen: readonly Target[] | undefined = undefined;
  #tuned = 0;
  #members: readonly Target[] = [];
  #levels: readonly Level[] = [];
  /** Of each member. */
  #states = new Uint8Array();
  #ways: readonly Way[] = [];
  /** Whether nothing stops any member, and none is on its way to its full share. */
  #isWhole = false;
  /** Since when members are on the way to their full share. */
  #warming = new Map<Target, number>();
  /** When shares change, on the clock of `performance.now()`. */
  #changesAt = Infinity;

  /** @param known those that need no slow start, because they were there before; undefined for all of the first list. */
  constructor(source: TargetSource, balancer: Balancer, options: PoolOptions, known?: readonly Target[]) {
    this.#source = source;
    this.#balancer = balancer;
    this.#options = options;
    if (known === undefined) return;
    this.#members = known;
    this.#refresh();
  }

  /** Those that may be chosen if they are available. */
  get members(): readonly Target[] {
    if (this.#isStale) this.#refresh();
    return this.#members;
  }

  /** What balances it; another pool may go on with it. */
  get balancer(): Balancer {
    return this.#balancer;
  }

  /**
   * Chooses a target.
   *
   * @param tried targets that are chosen again only if no other is available.
   * @returns undefined when none is available.
   */
  choose(exchange: Exchange | undefined, tried: readonly Target[]): Target | undefined {
    if (this.#isStale) this.#refresh();
    if (this.#isWhole && tried.length === 0) {
      const chosen = this.#chooseWay(exchange);
      if (chosen === undefined || chosen.available) return chosen;
    }
    this.#look();
    return tried.length === 0 ? this.#chooseWay(exchange) : this.#chooseFresh(exchange, tried);
  }

  /** The one that {@link choose} would choose now, where chance does not decide; undefined else, and when none is available. */
  peek(exchange: Exchange): Target | undefined {
    if (this.#isStale) this.#refresh();
    this.#look();
    if (this.#ways.filter(isOpen).length > 1 && this.#balancer.draw === undefined) return undefined;
    const way = this.#wayOf(exchange);
    if (way === undefined || way.targets.length < 2) return way?.targets[0];
    return this.#balancer.peek?.(way.targets, exchange, way.all);
  }

  /** Whether a member is available that has not been tried. */
  hasFresh(tried: readonly Target[]): boolean {
    for (const target of this.members) if (target.available && !tried.includes(target)) return true;
    return false;
  }

  /** Whether one can be chosen now. */
  get isOpen(): boolean {
    if (this.#isStale) this.#refresh();
    this.#look();
    return this.#ways.some(isOpen);
  }

  /** Why none is available: every breaker is `open`, all that can be used are `full`, or `none` can. */
  get lack(): 'open' | 'full' | 'none' {
    const states = this.members.map(stateOf);
    if (states.length > 0 && states.every((state) => (state & BREAKER_OPEN) !== 0)) return 'open';
    return states.some((state) => (state & FULL) !== 0 && (state & (BREAKER_OPEN | WITHDRAWN)) === 0)
      ? 'full'
      : 'none';
  }

  get #isStale(): boolean {
    return this.#seen !== this.#source.targets || this.#tuned !== Target.tunings;
  }

  #chooseWay(exchange: Exchange | undefined): Target | undefined {
    const way = this.#wayOf(exchange);
    return way && this.#balancer.choose(way.targets, exchange, way.all);
  }

  #wayOf(exchange: Exchange | undefined): Way | undefined {
    const ways = this.#ways;
    const first = ways[0];
    if (first === undefined || ways.length === 1)
      return first !== undefined && isOpen(first) ? first : undefined;
    let point = this.#balancer.draw?.(exchange) ?? Math.random();
    for (const way of ways) {
      point -= way.share;
      if (point < 0 && isOpen(way)) return way;
    }
    return ways.find(isOpen);
  }

  #chooseFresh(exchange: Exchange | undefined, tried: readonly Target[]): Target | undefined {
    const drawn = this.#wayOf(exchange);
    if (drawn === undefined) return undefined;
    for (const way of [drawn, ...this.#ways]) {
      const fresh = way.targets.filter((target) => !tried.includes(target));
      if (fresh.length > 0) return this.#balancer.choose(fresh, exchange, way.all);
    }
    return this.#balancer.choose(drawn.targets, exchange, drawn.all);
  }

  /** Looks at every member, and finds the ways anew if anything is otherwise than it was. */
  #look(): void {
    const members = this.#members;
    const states = this.#states;
    let isChanged = this.#changesAt !== Infinity && performance.now() >= this.#changesAt;
    for (let i = 0; i < members.length; i += 1) {
      const member = members[i] as Target;
      const state = stateOf(member);
      const before = states[i] as number;
      if (state === before) continue;
      isChanged = true;
      states[i] = state;
      if ((before & ~state & (UNHEALTHY | BREAKER_OPEN | WITHDRAWN)) !== 0) this.#warm(member);
    }
    if (isChanged) this.#findWays();
  }

  /** Has those that begin slowly begin now. */
  begin(): void {
    if (this.#warming.size === 0) return;
    for (const one of this.#warming.keys()) this.#warm(one);
    this.#findWays();
  }

  #warm(target: Target): void {
    if (this.#options.slowStartMs > 0) this.#warming.set(target, performance.now());
  }

  #refresh(): void {
    const { targets } = this.#source;
    const { labels, local } = this.#options;
    const before = new Set(this.#members);
    this.#seen = targets;
    this.#tuned = Target.tunings;
    this.#members =
      labels === undefined ? targets : targets.filter((target) => isIn({ labels }, target.labels));
    // At the start all are new, and have nobody to leave the traffic to.
    if (before.size > 0) for (const one of this.#members) if (!before.has(one)) this.#warm(one);
    for (const one of this.#warming.keys()) if (!this.#members.includes(one)) this.#warming.delete(one);
    this.#levels = levelsOf(this.#members, local !== undefined);
    this.#states = Uint8Array.from(this.#members, stateOf);
    this.#findWays();
  }

  #findWays(): void {
    const members = this.#members;
    const states = new Map(members.map((member, index) => [member, this.#states[index] as number]));
    const { local, panicThreshold, isStrict } = this.#options;
    this.#setShares();
    const input = { levels: this.#levels, local, panicThreshold };
    let ways = waysOf({ ...input, stateOf: (target) => states.get(target) ?? 0 });
    if (!isStrict && !ways.some(isOpen))
      ways = waysOf({ ...input, stateOf: (target) => (states.get(target) ?? 0) & ~FULL });
    this.#ways = ways;
    this.#isWhole = this.#changesAt === Infinity && this.#states.every((state) => state === 0);
  }

  #setShares(): void {
    const now = performance.now();
    const { slowStartMs } = this.#options;
    this.#changesAt = Infinity;
    for (const [one, since] of this.#warming) if (now - since >= slowStartMs) this.#warming.delete(one);
    const isMost = this.#warming.size * 2 > this.#members.length;
    for (const member of this.#members) {
      const { pace, until } = paceAt(now, this.#warming.get(member), slowStartMs);
      this.#changesAt = Math.min(this.#changesAt, until);
      // Where most are new, there is nobody to leave the traffic to.
      member.share = isMost ? member.weight : member.weight * pace;
    }
  }
}

function isOpen({ targets }: Way): boolean {
  return targets.length > 0;
}
