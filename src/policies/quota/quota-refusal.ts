import { Problem, retryAfterSeconds } from '../../problems/problem.ts';
import type { QuotaCount, QuotaTerms } from './quota-count.ts';
import { endsInMs, type QuotaVerdict } from './quota-fields.ts';
import type { Taking } from './quota-taking.ts';

/** How soon a client may ask again while the store is away. */
const AWAY_MS = 1000;

/** What quotas have said. */
export interface QuotaVerdicts {
  readonly nowMs: number;
  /** One for each quota, in their order. */
  readonly counts: readonly QuotaVerdict[];
}

/** A quota that has no room. */
export interface QuotaRefusal {
  readonly terms: QuotaTerms;
  readonly count: QuotaCount;
}

/** The refusal that holds longest, which is the one that a client has to mind. */
export function refusalOf({ terms }: Taking, counts: readonly QuotaVerdict[]): QuotaRefusal | undefined {
  let refusal: QuotaRefusal | undefined;
  for (let i = 0; i < counts.length; i += 1) {
    if (!isHardRefusal(terms[i], counts[i])) continue;
    const count = counts[i] as QuotaCount;
    if (refusal === undefined || count.end > refusal.count.end)
      refusal = { terms: terms[i] as QuotaTerms, count };
  }
  return refusal;
}

/** @throws {Problem} `quota-exceeded` where a hard quota has no room. */
export function mustFit(taking: Taking, { counts, nowMs }: QuotaVerdicts): void {
  const refused = refusalOf(taking, counts);
  if (refused === undefined) return;
  const { terms, count } = refused;
  // Where only a part of it was to be had, all of it is again with the store.
  const isWithheld = count.used + terms.cost <= terms.limit + count.carried;
  const retryAfterMs = isWithheld ? AWAY_MS : endsInMs(count, nowMs);
  throw new Problem('quota-exceeded', {
    headers: { 'retry-after': retryAfterSeconds(retryAfterMs) },
    extensions: {
      retryAfterMs,
      resetAt: new Date(count.end * 1000).toISOString(),
      'violated-policies': taking.plan.quotas.flatMap(({ name }, i) =>
        isHardRefusal(taking.terms[i], counts[i]) ? [name] : [],
      ),
    },
    by: terms.name,
  });
}

/** Whether a quota refuses. */
export function isHardRefusal(terms: QuotaTerms | undefined, count: QuotaVerdict): boolean {
  return terms?.mode === 'hard' && count?.fits === false;
}
