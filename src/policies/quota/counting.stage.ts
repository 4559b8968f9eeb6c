import type { Exchange } from '../../exchange/exchange.ts';
import { ReportedFields } from '../rate-limit/reported-fields.ts';
import { depends, passes, type StageVerdict } from '../explained-stage.ts';
import type { Stage } from '../stage.ts';
import type { MemoryQuotas } from './quota-counters.memory.ts';
import type { RedisQuotas } from './quota-counters.redis.ts';
import { appendQuotaFields, appendRefusalFields, leftOf } from './quota-fields.ts';
import type { CompiledQuota, QuotaPlan, QuotaPlans } from './quota-plan.ts';
import { mustFit, refusalOf, type QuotaVerdicts } from './quota-refusal.ts';
import { mostOf, partOf, takenOf, takingOf, type Taken, type Taking } from './quota-taking.ts';
import { QuotaTakes } from './quota-takes.ts';

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
  /** How many gateway processes share the store. */
  readonly replicas?: { readonly count: number } | undefined;
  decided(routeId: string, decision: QuotaDecision): void;
}

/** The quotas of a route, by what it charges for. */
export interface RoutePlans {
  readonly own: QuotaPlans;
  /** Of messages over a forwarded socket; undefined for none. */
  readonly perMessage?: QuotaPlans | undefined;
}

/** Takes what a request costs from all quotas of its route, or from none. */
export class CountingStage implements Stage {
  readonly message: Stage['message'];
  readonly head: Stage['head'];
  readonly spend: Stage['spend'];
  readonly unspend: Stage['unspend'];
  readonly plans: QuotaPlans;
  readonly #routeId: string;
  readonly #deps: QuotaDeps;
  readonly #takes: QuotaTakes;
  readonly #repeats: boolean;
  /** What exchanges have taken, where that can change once they have passed. */
  readonly #taken = new WeakMap<Exchange, Taken>();

  /** @param repeats charges an exchange each time, and shows no header fields: they could tell of one time only. */
  constructor(routeId: string, { own, perMessage }: RoutePlans, deps: QuotaDeps, repeats = false) {
    this.#routeId = routeId;
    this.plans = own;
    this.#deps = deps;
    this.#takes = new QuotaTakes(routeId, deps);
    this.#repeats = repeats;
    // Only where a rule says so, so that the others cost nothing.
    const { reportedIn, isByQuery } = own;
    this.head = reportedIn.length === 0 ? undefined : this.#reporting(new ReportedFields(reportedIn));
    if (isByQuery) [this.spend, this.unspend] = [this.#spend, this.#unspend];
    if (perMessage === undefined) return;
    const messages = new CountingStage(routeId, { own: perMessage }, deps, true);
    this.message = (exchange) => messages.enter(exchange);
  }

  enter(exchange: Exchange): void | Promise<void> {
    // An exchange is charged once, however many adapters of this stage it meets.
    if (exchange.quotas !== undefined && !this.#repeats) return undefined;
    const plan = this.plans.for(exchange);
    if (plan.quotas.length === 0) return undefined;
    const taking = takingOf(plan, exchange);
    const said = this.#takes.take(taking);
    if (!(said instanceof Promise)) return this.#conclude(exchange, taking, said);
    return said.then((late) => this.#conclude(exchange, taking, late));
  }

  /** Looks without taking at what is counted in this process; a store is not asked. */
  explain(exchange: Exchange): StageVerdict {
    const taking = takingOf(this.plans.for(exchange), exchange);
    const { plan, keys, terms } = taking;
    const { store, local } = this.#deps;
    const names = plan.quotas.map(({ name }) => `quota ${name}`);
    if (store !== undefined && plan.quotas.length > 0)
      return depends('the quotas are in Redis, which is not asked', factsOf(names, keys));
    const { counts, nowMs } = local.take(
      keys,
      terms.map((one) => ({ ...one, mode: 'look' as const })),
    );
    const fitted = counts.map((count, i) => {
      const { limit, cost } = terms[i] as CompiledQuota['terms'];
      return { ...count, fits: count.used + cost <= limit + count.carried };
    });
    mustFit(taking, { counts: fitted, nowMs });
    const left = counts.map((count, i) => String(leftOf(count, terms[i] as CompiledQuota['terms'])));
    return passes(
      factsOf(
        names,
        keys.map((key, i) => `${key}, ${left[i]} left`),
      ),
    );
  }

  #conclude(exchange: Exchange, taking: Taking, said: QuotaVerdicts): void {
    const { counts, nowMs } = said;
    const { plan } = taking;
    if (!this.#repeats) {
      exchange.quotas = counts;
      appendQuotaFields(exchange.responseHeaders, plan, counts, nowMs);
    }
    const refused = refusalOf(taking, counts);
    if (refused !== undefined) {
      if (!this.#repeats) appendRefusalFields(exchange.responseHeaders, refused.terms, refused.count, nowMs);
      this.#deps.decided(this.#routeId, 'refused');
    }
    mustFit(taking, said);
    this.#passed(exchange, taking, said);
    if (this.#repeats || !plan.isLate) return;
    const taken = takenOf(taking, counts);
    this.#taken.set(exchange, taken);
    if (plan.givesBack) this.#giveBackLater(exchange, taken);
  }

  #passed(exchange: Exchange, { terms }: Taking, { counts }: QuotaVerdicts): void {
    let decision: QuotaDecision = 'allowed';
    for (let i = 0; i < counts.length; i += 1) {
      if (counts[i]?.fits !== false) continue;
      const { name, mode } = terms[i] as CompiledQuota['terms'];
      if (mode === 'soft') decision = 'exceeded';
      else {
        exchange.shadowDenied ??= `quota(${name})`;
        if (decision === 'allowed') decision = 'shadow';
      }
    }
    this.#deps.decided(this.#routeId, decision);
  }

  #giveBackLater(exchange: Exchange, taken: Taken): void {
    exchange.onClosed(({ problem }) => {
      if (problem === undefined || problem.status < 500 || problem.code === 'deadline-exceeded') return;
      this.#takes.giveBack(taken, (i) => taken.plan.quotas[i]?.givesBack === true);
    });
  }

  /** Charges what services say that requests were worth. Nobody is refused for it but who comes next. */
  #reporting(fields: ReportedFields): Stage['head'] {
    return (exchange, head) => {
      const said = fields.takeOut(exchange, head);
      const taken = this.#taken.get(exchange);
      if (said === undefined || taken === undefined) return;
      taken.plan.quotas.forEach(({ price: { reported }, terms }, i) => {
        const worth = reported && said.get(reported.field);
        if (reported === undefined || worth === undefined) return;
        const most = reported.atMost === Infinity ? mostOf(terms) : reported.atMost;
        this.#takes.correct(taken, i, Math.min(worth, most));
      });
    };
  }

  /** Charges what an operation costs beyond what was taken ahead. */
  readonly #spend = (exchange: Exchange, cost: number): void | Promise<void> => {
    const taken = this.#taken.get(exchange);
    if (taken === undefined) return undefined;
    const costs = missingOf(taken, cost);
    if (!costs.some((one) => one > 0)) return undefined;
    const taking = partOf(taken, costs);
    const conclude = (said: QuotaVerdicts): void => {
      if (refusalOf(taking, said.counts) !== undefined) this.#deps.decided(this.#routeId, 'refused');
      mustFit(taking, said);
      const { units } = takenOf(taking, said.counts);
      let at = 0;
      costs.forEach((one, i) => {
        if (one > 0) taken.units[i] = (taken.units[i] as number) + (units[at++] as number);
      });
    };
    const said = this.#takes.take(taking);
    return said instanceof Promise ? said.then(conclude) : conclude(said);
  };

  readonly #unspend = (exchange: Exchange): void => {
    const taken = this.#taken.get(exchange);
    if (taken !== undefined) this.#takes.giveBack(taken, () => true);
  };
}

/** What an operation costs beyond what was taken ahead, by quota; not of those that have counted nothing. */
function missingOf({ plan, counts, units }: Taken, cost: number): readonly number[] {
  return plan.quotas.map(({ price, terms }: QuotaPlan['quotas'][number], i) => {
    if (price.isByQuery !== true || counts[i] === undefined) return 0;
    return Math.max(0, Math.min(cost, mostOf(terms)) - (units[i] as number));
  });
}

function factsOf(names: readonly string[], values: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']));
}
