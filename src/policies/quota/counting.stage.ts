import type { Exchange } from '../../exchange/exchange.ts';
import { Problem, retryAfterSeconds } from '../../problems/problem.ts';
import { STORE_UNAVAILABLE } from '../../store/store-guard.ts';
import { depends, passes, type StageVerdict } from '../explained-stage.ts';
import { tierOf } from '../rate-limit/tier-book.ts';
import type { Stage } from '../stage.ts';
import type { MemoryQuotas } from './quota-counters.memory.ts';
import type { QuotaOutcome, QuotaReply } from './quota-counters.ts';
import type { RedisQuotas } from './quota-counters.redis.ts';
import type { QuotaCount } from './quota-count.ts';
import {
  appendQuotaFields,
  appendRefusalFields,
  endsInMs,
  leftOf,
  type QuotaVerdict,
} from './quota-fields.ts';
import type { CompiledQuota, QuotaPlan, QuotaPlans } from './quota-plan.ts';
import { quotaKeyOf, quotaSubjectOf } from './quota-subject.ts';

/** What becomes of requests at their quotas, for metrics: each is counted once, and each store that did not answer. */
export type QuotaDecision =
  | 'allowed'
  | 'refused'
  | 'exceeded'
  | 'shadow'
  | 'store-error-local'
  | 'store-error-open'
  | 'store-error-closed';

/** Who counts, and who counts the decisions. */
export interface QuotaDeps {
  /** Undefined without Redis. */
  readonly store: RedisQuotas | undefined;
  /** Counts without Redis, and while it does not answer. */
  readonly local: MemoryQuotas;
  decided(routeId: string, decision: QuotaDecision): void;
}

/** The quotas of a route, by what it charges for. */
export interface RoutePlans {
  readonly own: QuotaPlans;
  /** Of messages over a forwarded socket; undefined for none. */
  readonly perMessage?: QuotaPlans | undefined;
  /** Who is of which tier besides those whose credential says so. */
  readonly known?: Parameters<typeof tierOf>[0];
}

/** Takes what a request costs from all quotas of its route, or from none. */
export class CountingStage implements Stage {
  readonly message: Stage['message'];
  readonly plans: QuotaPlans;
  readonly #routeId: string;
  readonly #deps: QuotaDeps;
  readonly #known: Parameters<typeof tierOf>[0];
  readonly #repeats: boolean;

  /** @param repeats charges an exchange each time, and shows no header fields: they could tell of one time only. */
  constructor(
    routeId: string,
    { own, perMessage, known = {} }: RoutePlans,
    deps: QuotaDeps,
    repeats = false,
  ) {
    this.#routeId = routeId;
    this.plans = own;
    this.#deps = deps;
    this.#known = known;
    this.#repeats = repeats;
    // Only where a rule says so, so that the others cost nothing.
    if (perMessage === undefined) return;
    const messages = new CountingStage(routeId, { own: perMessage, known }, deps, true);
    this.message = (exchange) => messages.enter(exchange);
  }

  /** The tier of a caller, as limits and priorities go by it too. */
  tierOf(exchange: Pick<Exchange, 'principal'>): string | undefined {
    return tierOf(this.#known, exchange);
  }

  enter(exchange: Exchange): void | Promise<void> {
    // An exchange is charged once, however many adapters of this stage it meets.
    if (exchange.quotas !== undefined && !this.#repeats) return undefined;
    const plan = this.#planOf(exchange);
    if (plan.quotas.length === 0) return undefined;
    const keys = keysOf(plan, exchange);
    const outcome = (this.#deps.store ?? this.#deps.local).take(keys, plan.terms);
    if (!(outcome instanceof Promise)) return this.#settle(exchange, plan, keys, outcome);
    return outcome.then((late) => this.#settle(exchange, plan, keys, late));
  }

  /** Looks without taking at what is counted in this process; a store is not asked. */
  explain(exchange: Exchange): StageVerdict {
    const plan = this.#planOf(exchange);
    const keys = keysOf(plan, exchange);
    const { store, local } = this.#deps;
    const names = plan.quotas.map(({ name }) => `quota ${name}`);
    if (store !== undefined && plan.quotas.length > 0)
      return depends('the quotas are in Redis, which is not asked', factsOf(names, keys));
    const looks = plan.terms.map((terms) => ({ ...terms, mode: 'look' as const }));
    const { counts, nowMs } = local.take(keys, looks);
    const fitted = counts.map((count, i) => ({ ...count, fits: fitsIn(plan, i, count) }));
    this.#refuse(plan, fitted, nowMs);
    return passes(
      factsOf(
        names,
        keys.map((key, i) => `${key}, ${leftIn(plan, i, counts)} left`),
      ),
    );
  }

  #planOf(exchange: Exchange): QuotaPlan {
    return this.plans.of(this.plans.hasTiers ? this.tierOf(exchange) : undefined);
  }

  #settle(exchange: Exchange, plan: QuotaPlan, keys: readonly string[], outcome: QuotaOutcome): void {
    if (outcome === STORE_UNAVAILABLE) return this.#alone(exchange, plan, keys);
    const { store, local } = this.#deps;
    if (store !== undefined) {
      for (let i = 0; i < keys.length; i += 1)
        if (plan.quotas[i]?.onStoreError === 'local')
          local.learn(
            keys[i] as string,
            plan.terms[i] as CompiledQuota['terms'],
            outcome.counts[i] as QuotaCount,
          );
    }
    this.#conclude(exchange, plan, keys, outcome);
  }

  /** What each quota says while the store does not answer. */
  #alone(exchange: Exchange, plan: QuotaPlan, keys: readonly string[]): void {
    const { store, local } = this.#deps;
    for (const { onStoreError } of plan.quotas)
      this.#deps.decided(this.#routeId, `store-error-${onStoreError}`);
    const closed = plan.quotas.find(
      ({ onStoreError, terms }) => onStoreError === 'closed' && terms.mode !== 'shadow',
    );
    // Fails closed: the operator prefers no answer to one that is not counted.
    if (closed !== undefined)
      throw new Problem('quota-unavailable', { headers: { 'retry-after': '1' }, by: closed.name });
    // Each process goes on from what it knows. What is open fails open: nobody counts, as the operator prefers.
    const counted = plan.quotas.flatMap(({ onStoreError }, i) => (onStoreError === 'local' ? [i] : []));
    const { nowMs, counts } = local.take(
      counted.map((i) => keys[i] as string),
      counted.map((i) => plan.terms[i] as CompiledQuota['terms']),
    );
    const isRefused = counted.some((i, at) => plan.terms[i]?.mode === 'hard' && counts[at]?.fits === false);
    const verdicts: QuotaVerdict[] = plan.quotas.map(() => undefined);
    counted.forEach((i, at) => {
      const count = (verdicts[i] = counts[at]) as QuotaCount;
      const { mode, cost } = plan.terms[i] as CompiledQuota['terms'];
      if (!isRefused && (count.fits || mode === 'soft')) store?.owe(keys[i] as string, count.start, cost);
    });
    this.#conclude(exchange, plan, keys, { nowMs, counts: verdicts });
  }

  #conclude(
    exchange: Exchange,
    plan: QuotaPlan,
    keys: readonly string[],
    { nowMs, counts }: { readonly nowMs: number; readonly counts: readonly QuotaVerdict[] },
  ): void {
    if (!this.#repeats) {
      exchange.quotas = counts;
      appendQuotaFields(exchange.responseHeaders, plan, counts, nowMs);
    }
    const refused = refusalOf(plan, counts);
    if (refused !== undefined) {
      if (!this.#repeats) appendRefusalFields(exchange.responseHeaders, refused.terms, refused.count, nowMs);
      this.#deps.decided(this.#routeId, 'refused');
    }
    this.#refuse(plan, counts, nowMs);
    this.#passed(exchange, plan, counts);
    if (plan.givesBack && !this.#repeats) this.#giveBackLater(exchange, plan, keys, counts);
  }

  #passed(exchange: Exchange, plan: QuotaPlan, counts: readonly QuotaVerdict[]): void {
    let decision: QuotaDecision = 'allowed';
    for (let i = 0; i < counts.length; i += 1) {
      if (counts[i]?.fits !== false) continue;
      const { name, mode } = plan.terms[i] as CompiledQuota['terms'];
      if (mode === 'soft') decision = 'exceeded';
      else {
        exchange.shadowDenied ??= `quota(${name})`;
        if (decision === 'allowed') decision = 'shadow';
      }
    }
    this.#deps.decided(this.#routeId, decision);
  }

  #refuse(plan: QuotaPlan, counts: readonly QuotaVerdict[], nowMs: number): void {
    const refused = refusalOf(plan, counts);
    if (refused === undefined) return;
    const { terms, count } = refused;
    const retryAfterMs = endsInMs(count, nowMs);
    throw new Problem('quota-exceeded', {
      headers: { 'retry-after': retryAfterSeconds(retryAfterMs) },
      extensions: {
        retryAfterMs,
        resetAt: new Date(count.end * 1000).toISOString(),
        'violated-policies': plan.quotas.flatMap(({ name }, i) =>
          isHardRefusal(plan, i, counts) ? [name] : [],
        ),
      },
      by: terms.name,
    });
  }

  // What was taken is what fitted, and what was soft.
  #giveBackLater(
    exchange: Exchange,
    plan: QuotaPlan,
    keys: readonly string[],
    counts: readonly QuotaVerdict[],
  ): void {
    exchange.onClosed(({ problem }) => {
      if (problem === undefined || problem.status < 500 || problem.code === 'deadline-exceeded') return;
      const now = Date.now();
      const taken = plan.quotas.flatMap(({ givesBack, terms }, i) => {
        const count = counts[i];
        const isTaken = count !== undefined && (count.fits || terms.mode === 'soft');
        return givesBack && isTaken && now < count.end * 1000 ? [i] : [];
      });
      if (taken.length === 0) return;
      const back = taken.map((i) => ({
        ...(plan.terms[i] as CompiledQuota['terms']),
        mode: 'back' as const,
      }));
      const theirs = taken.map((i) => keys[i] as string);
      // Nobody waits for it. What gets lost stays counted.
      void (this.#deps.store ?? this.#deps.local).take(theirs, back);
    });
  }
}

interface Refusal {
  readonly terms: CompiledQuota['terms'];
  readonly count: QuotaCount;
}

/** The refusal that holds longest, which is the one that a client has to mind. */
function refusalOf(plan: QuotaPlan, counts: readonly QuotaVerdict[]): Refusal | undefined {
  let refusal: Refusal | undefined;
  for (let i = 0; i < counts.length; i += 1) {
    if (!isHardRefusal(plan, i, counts)) continue;
    const count = counts[i] as QuotaCount;
    if (refusal === undefined || count.end > refusal.count.end)
      refusal = { terms: plan.terms[i] as CompiledQuota['terms'], count };
  }
  return refusal;
}

function isHardRefusal({ terms }: QuotaPlan, i: number, counts: readonly QuotaVerdict[]): boolean {
  return terms[i]?.mode === 'hard' && counts[i]?.fits === false;
}

function fitsIn({ terms }: QuotaPlan, i: number, count: QuotaCount): boolean {
  const { limit, cost } = terms[i] as CompiledQuota['terms'];
  return count.used + cost <= limit + count.carried;
}

function leftIn({ terms }: QuotaPlan, i: number, counts: QuotaReply['counts']): string {
  return String(leftOf(counts[i] as QuotaCount, terms[i] as CompiledQuota['terms']));
}

function keysOf({ quotas }: QuotaPlan, exchange: Exchange): string[] {
  return quotas.map(({ key, id }) => quotaKeyOf(quotaSubjectOf(key, exchange), id));
}

function factsOf(names: readonly string[], values: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']));
}
