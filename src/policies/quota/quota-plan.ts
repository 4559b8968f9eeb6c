import type { Exchange } from '../../exchange/exchange.ts';
import { compileCost, type CompiledCost, type CostPlace } from '../rate-limit/limit-cost.ts';
import { tierOf, type CallerLimits } from '../rate-limit/tier-book.ts';
import { QuotaCalendar, type QuotaWindow } from './quota-calendar.ts';
import type { QuotaTerms } from './quota-count.ts';
import type { QuotaKey } from './quota-subject.ts';
import type { QuotaRule } from './quota.policy.ts';

/** A quota of a route, ready to be counted. */
export interface CompiledQuota {
  /** By which clients know it. */
  readonly name: string;
  readonly key: QuotaKey;
  /** The route that it is of alone; undefined for one that has a name of its own. */
  readonly route: string | undefined;
  /** What tells it from others of the same subject: name, window and time zone. Its counts go on as long as it is the same. */
  readonly id: string;
  readonly terms: QuotaTerms;
  /** What a request costs, where that is not known before. */
  readonly price: CompiledCost;
  readonly onStoreError: QuotaRule['onStoreError'];
  readonly givesBack: boolean;
  /** The nominal length of its window, in seconds; a month has 31 days, which no month exceeds. */
  readonly seconds: number;
}

/** The quotas of the callers of one tier. */
export interface QuotaPlan {
  readonly quotas: readonly CompiledQuota[];
  readonly terms: readonly QuotaTerms[];
  /** Those that clients know of. */
  readonly shown: readonly boolean[];
  /** The value of `RateLimit-Policy`; empty for none that clients know of. */
  readonly policyField: string;
  readonly givesBack: boolean;
  /** Whether each request has a cost of its own. */
  readonly isPriced: boolean;
  /** Whether what was taken can change after a request has passed. */
  readonly isLate: boolean;
}

const SECONDS: Readonly<Record<QuotaWindow, number>> = { hour: 3600, day: 86_400, month: 31 * 86_400 };

const calendars = new Map<string, QuotaCalendar>();

/** The calendar of a window and a time zone: one for all who have the same. */
function calendarOf(window: QuotaWindow, timeZone: string): QuotaCalendar {
  const made = new QuotaCalendar(window, timeZone);
  const id = `${window} ${made.timeZone}`;
  const known = calendars.get(id);
  if (known === undefined) calendars.set(id, made);
  return known ?? made;
}

/** Compiles the quotas of a route for callers of each tier that they name. */
export class QuotaPlans {
  readonly #others: QuotaPlan;
  readonly #byTier = new Map<string, QuotaPlan>();
  readonly #tiers: KnownTiers;
  /** Header fields in which services report costs. */
  readonly reportedIn: readonly string[];
  /** Whether operations of GraphQL are charged for what they cost. */
  readonly isByQuery: boolean;

  /**
   * @param budgetOf the route that quotas without a name are of.
   * @param per what is charged: a request, or a message over a forwarded socket.
   * @param tiers who is of which tier, beside what credentials say.
   * @param place where costs are said.
   */
  constructor(
    rules: readonly QuotaRule[],
    budgetOf: string,
    { per = 'request', tiers = {}, place = NO_PLACE }: PlanOptions = {},
  ) {
    const prices = rules.map(({ cost, perMessage = 1 }) =>
      per === 'request' ? compileCost(cost, place) : { cost: perMessage },
    );
    const use = { rules, budgetOf, per, prices };
    this.#tiers = tiers;
    this.reportedIn = prices.flatMap(({ reported }) => (reported === undefined ? [] : [reported.field]));
    this.isByQuery = prices.some(({ isByQuery = false }) => isByQuery);
    this.#others = planOf(use, undefined);
    for (const tier of new Set(rules.flatMap(({ byTier = {} }) => Object.keys(byTier))))
      this.#byTier.set(tier, planOf(use, tier));
  }

  /** Whether callers of different tiers have different quotas. */
  get isByTier(): boolean {
    return this.#byTier.size > 0;
  }

  /** The quotas of whoever calls. */
  for(caller: Pick<Exchange, 'principal'>): QuotaPlan {
    return this.isByTier ? this.of(this.tierOf(caller)) : this.#others;
  }

  /** The tier of whoever calls. */
  tierOf(caller: Pick<Exchange, 'principal'>): string | undefined {
    return tierOf(this.#tiers, caller);
  }

  /** The quotas of callers of a tier; of others, where nothing is said about it. */
  of(tier: string | undefined): QuotaPlan {
    if (tier === undefined || this.#byTier.size === 0) return this.#others;
    return this.#byTier.get(tier) ?? this.#others;
  }
}

/** Who is of which tier: as operators say it now, and as the file says it of tenants. */
export type KnownTiers = Pick<CallerLimits, 'live' | 'tenants'>;

/** What a route charges for. */
export type QuotaUse = 'request' | 'message';

interface PlanOptions {
  readonly per?: QuotaUse;
  readonly tiers?: KnownTiers;
  readonly place?: CostPlace;
}

const NO_PLACE: CostPlace = Object.freeze({ policies: Object.freeze({}) });

interface UseOfQuotas {
  readonly rules: readonly QuotaRule[];
  readonly budgetOf: string;
  readonly per: QuotaUse;
  /** One for each rule. */
  readonly prices: readonly CompiledCost[];
}

function planOf(use: UseOfQuotas, tier: string | undefined): QuotaPlan {
  const quotas = use.rules.flatMap((rule, index) => {
    const limit = limitOf(rule, tier);
    const isCharged = use.per === 'request' || rule.perMessage !== undefined;
    return limit === 'unlimited' || !isCharged ? [] : [compiled({ ...rule, limit }, index, use)];
  });
  const shown = quotas.map(({ terms }) => terms.mode !== 'shadow');
  return {
    quotas,
    terms: quotas.map(({ terms }) => terms),
    shown,
    policyField: quotas
      .filter((_, i) => shown[i])
      .map(policyItem)
      .join(', '),
    givesBack: quotas.some(({ givesBack }) => givesBack),
    isPriced: quotas.some(({ price }) => price.costOf !== undefined),
    isLate: quotas.some(
      ({ givesBack, price }) => givesBack || price.isByQuery === true || price.reported !== undefined,
    ),
  };
}

function limitOf({ limit, byTier = {} }: QuotaRule, tier: string | undefined): number | 'unlimited' {
  return tier !== undefined && Object.hasOwn(byTier, tier) ? (byTier[tier] ?? limit) : limit;
}

function policyItem({ name, terms, seconds }: CompiledQuota): string {
  return `"${name}";q=${String(terms.limit)};w=${String(seconds)}`;
}

function compiled(rule: QuotaRule, index: number, { rules, budgetOf, prices }: UseOfQuotas): CompiledQuota {
  const { window, key, mode, limit, warnAt, onStoreError } = rule;
  const price = prices[index] as CompiledCost;
  const { cost } = price;
  const calendar = calendarOf(window, rule.timeZone);
  const name = rule.name ?? unnamed(rules, index);
  // No name has a slash, and the id of a route has none here.
  const own = rule.name ?? `${encodeURIComponent(budgetOf)}/${String(rankOf(rules, index))}`;
  return {
    name,
    key,
    route: rule.name === undefined ? budgetOf : undefined,
    id: `${own}:${window}:${calendar.timeZone}`,
    terms: { name, mode, limit, cost, carryOver: Math.floor(limit * rule.carryOver), warnAt, calendar },
    price,
    onStoreError,
    givesBack: rule.giveBack === 'faults',
    seconds: SECONDS[window],
  };
}

function unnamed(rules: readonly QuotaRule[], index: number): string {
  const window = (rules[index] as QuotaRule).window;
  const before = rules
    .slice(0, index)
    .filter((one) => one.name === undefined && one.window === window).length;
  return before === 0 ? window : `${window}-${String(before + 1)}`;
}

/**
 * Which one a quota without a name is among those that count the same: where it stands in the list makes no difference, so that
 * counts go on when rules are put in another order.
 */
function rankOf(rules: readonly QuotaRule[], index: number): number {
  const rule = rules[index] as QuotaRule;
  const alike = (other: QuotaRule): boolean =>
    other.name === undefined &&
    other.key === rule.key &&
    other.window === rule.window &&
    other.timeZone === rule.timeZone;
  return rules.filter((other, at) => alike(other) && isBefore(other, rule, at < index)).length;
}

function isBefore(one: QuotaRule, other: QuotaRule, standsFirst: boolean): boolean {
  if (one.limit !== other.limit) return one.limit < other.limit;
  const [text, another] = [JSON.stringify(one), JSON.stringify(other)];
  return text === another ? standsFirst : text < another;
}
