import type { Exchange } from '../../exchange/exchange.ts';
import type { QuotaTerms } from './quota-count.ts';
import type { QuotaVerdict } from './quota-fields.ts';
import type { CompiledQuota, QuotaPlan } from './quota-plan.ts';
import { quotaKeyOf, quotaSubjectOf } from './quota-subject.ts';

/** What an exchange takes of the quotas of its route. */
export interface Taking {
  readonly plan: QuotaPlan;
  /** One for each quota, in their order. */
  readonly keys: readonly string[];
  readonly terms: readonly QuotaTerms[];
}

/** What an exchange has taken, as long as that can change. */
export interface Taken extends Taking {
  readonly counts: readonly QuotaVerdict[];
  /** Units by quota; 0 for those that have counted nothing. */
  readonly units: number[];
}

/** What a request takes under the quotas of its caller. */
export function takingOf(plan: QuotaPlan, exchange: Exchange): Taking {
  const keys = plan.quotas.map(({ key, id }) => quotaKeyOf(quotaSubjectOf(key, exchange), id));
  const terms = plan.isPriced ? plan.quotas.map((quota) => termsFor(quota, exchange)) : plan.terms;
  return { plan, keys, terms };
}

function termsFor({ terms, price }: CompiledQuota, exchange: Exchange): QuotaTerms {
  if (price.costOf === undefined) return terms;
  const cost = price.costOf(exchange, mostOf(terms));
  // What is free passes whatever is left, and only has a look.
  return cost === 0 ? { ...terms, cost, mode: 'look' } : { ...terms, cost };
}

/** Most that one request takes: the dearest passes when all is left, rather than never; nothing does where there is nothing. */
export function mostOf({ limit }: Pick<QuotaTerms, 'limit'>): number {
  return Math.max(1, limit);
}

/** What was taken: what fitted, and what was soft. */
export function takenOf(taking: Taking, counts: readonly QuotaVerdict[]): Taken {
  const units = taking.terms.map(({ mode, cost }, i) => {
    const count = counts[i];
    return mode !== 'look' && count !== undefined && (count.fits || mode === 'soft') ? cost : 0;
  });
  return { ...taking, counts, units };
}

/** The same for some of the quotas, at other costs; undefined for those that take nothing. */
export function partOf({ plan, keys, terms }: Taking, costs: readonly number[]): Taking {
  const some = costs.flatMap((cost, i) => (cost > 0 ? [i] : []));
  const at = <T>(list: readonly T[]): T[] => some.map((i) => list[i] as T);
  const quotas = at(plan.quotas);
  const priced = some.map((i) => ({ ...(terms[i] as QuotaTerms), cost: costs[i] as number }));
  return { plan: { ...plan, quotas, terms: priced, shown: at(plan.shown) }, keys: at(keys), terms: priced };
}
