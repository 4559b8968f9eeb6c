import type { Exchange } from '../../exchange/exchange.ts';
import { STORE_UNAVAILABLE } from '../../store/store-guard.ts';
import type { CompiledRule } from './compiled-rule.ts';
import type { Verdict } from './rate-limit-fields.ts';
import type { LimiterObserver, LocalRateLimiter, RateLimiter, Take, TakeOutcome } from './rate-limiter.ts';

/** Who counts, and who counts the decisions. */
export interface Limiters {
  readonly main: RateLimiter;
  /** Counts in this process while the store of `main` does not answer. */
  readonly local: LocalRateLimiter;
  readonly observer: LimiterObserver | undefined;
}

/** What a request takes under a rule. */
export interface RuleTake extends Take {
  readonly by: CompiledRule;
}

/** What each of several said; undefined for one that nobody asked. */
export type Outcomes = readonly (TakeOutcome | undefined)[];

/** What an exchange takes under rules; nothing of those that its caller has no limit under. */
export function takesOf(rules: readonly CompiledRule[], exchange: Exchange): RuleTake[] {
  const takes: RuleTake[] = [];
  for (const by of rules) {
    const subject = by.subjectOf(exchange);
    const rule = by.bucketOf === undefined ? by.bucket : by.bucketOf(exchange);
    if (rule === undefined) continue;
    const cost = by.costOf === undefined ? Math.min(rule.burst, by.cost) : by.costOf(exchange, rule.burst);
    const suffix = by.suffixes?.get(rule) ?? by.suffix;
    takes.push({ by, bucketKey: by.prefix + subject + suffix, rule, cost });
  }
  return takes;
}

/** What an outcome means under a rule; asks this process where the store could not be asked. */
export function settle(limiters: Limiters, routeId: string, take: RuleTake, outcome: TakeOutcome): Verdict {
  if (outcome !== STORE_UNAVAILABLE) return outcome;
  const { by, bucketKey, rule, cost } = take;
  limiters.observer?.decided(routeId, `store-error-${by.onStoreError}`);
  switch (by.onStoreError) {
    case 'local': // Neither open nor closed: each process grants its part of the limit for as long as it counts alone.
      return limiters.local.take(bucketKey, rule, cost);
    case 'open': // Fails open: the operator prefers an unlimited route to a closed one.
      return undefined;
    case 'closed': // Fails closed: the operator prefers no answer to an unlimited one.
      return 'closed';
  }
}

/**
 * The same for several, and puts back what was taken where one refuses. What the store took stays taken only where nobody
 * refuses; it has put back itself what it refused itself.
 */
export function settleAll(
  limiters: Limiters,
  routeId: string,
  takes: readonly RuleTake[],
  outcomes: Outcomes,
): readonly Verdict[] {
  const verdicts = takes.map((take, i) => {
    const outcome = outcomes[i];
    return outcome === undefined ? undefined : settle(limiters, routeId, take, outcome);
  });
  if (!verdicts.some(refuses)) return verdicts;
  const hasTaken = !outcomes.some((outcome) => typeof outcome === 'object' && !outcome.allowed);
  takes.forEach(({ bucketKey, rule, cost }, i) => {
    const verdict = verdicts[i];
    if (verdict === undefined || refuses(verdict)) return;
    if (outcomes[i] === STORE_UNAVAILABLE) limiters.local.refund(bucketKey, rule, cost);
    else if (hasTaken) limiters.main.refund(bucketKey, rule, cost);
  });
  return verdicts;
}

/** Whether a request does not pass for it. */
export function refuses(verdict: Verdict): boolean {
  return verdict !== undefined && (verdict === 'closed' || !verdict.allowed);
}
