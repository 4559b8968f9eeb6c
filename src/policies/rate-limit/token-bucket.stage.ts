import type { Exchange, LimitDecision } from '../../exchange/exchange.ts';
import { Problem, retryAfterSeconds } from '../../problems/problem.ts';
import { STORE_UNAVAILABLE } from '../../store/store-guard.ts';
import { depends, passes, type StageVerdict } from '../explained-stage.ts';
import type { Stage } from '../stage.ts';
import { subjectOf, type RateLimitKey } from './limit-subject.ts';
import { appendFields, policyField, tightestOf, type NamedRule, type Verdict } from './rate-limit-fields.ts';
import type { RateLimitRule } from './rate-limit.policy.ts';
import type { LimiterObserver, LocalRateLimiter, RateLimiter, Take, TakeOutcome } from './rate-limiter.ts';

/** A rule of a route, ready to be counted. */
export interface CompiledRule extends NamedRule {
  readonly key: RateLimitKey;
  /** `routeId:ruleIndex:`, to which the subject is added. */
  readonly prefix: string;
  readonly cost: number;
  /** Tokens that a message over a forwarded socket takes; undefined for none. */
  readonly perMessage?: number | undefined;
  readonly onStoreError: RateLimitRule['onStoreError'];
}

/** Who counts, and who counts the decisions. */
export interface Limiters {
  readonly main: RateLimiter;
  /** Counts in this process while the store of `main` does not answer. */
  readonly local: LocalRateLimiter;
  readonly observer: LimiterObserver | undefined;
}

/** Takes the tokens of a request from the buckets of its route. */
export class RateLimitStage implements Stage {
  readonly message: Stage['message'];
  readonly #routeId: string;
  readonly #rules: readonly CompiledRule[];
  readonly #policyField: string;
  readonly #limiters: Limiters;
  readonly #repeats: boolean;

  /** @param repeats charges an exchange each time, and shows no header fields: they could tell of one time only. */
  constructor(routeId: string, rules: readonly CompiledRule[], limiters: Limiters, repeats = false) {
    this.#repeats = repeats;
    this.#routeId = routeId;
    this.#rules = rules;
    this.#policyField = policyField(rules);
    this.#limiters = limiters;
    this.message = this.#charging();
  }

  // Only where a rule says so, so that the others cost nothing.
  #charging(): Stage['message'] {
    const priced = this.#rules.flatMap((rule) =>
      rule.perMessage === undefined ? [] : [{ ...rule, cost: rule.perMessage, perMessage: undefined }],
    );
    if (priced.length === 0) return undefined;
    const stage = new RateLimitStage(this.#routeId, priced, this.#limiters, true);
    return (exchange) => stage.enter(exchange);
  }

  enter(exchange: Exchange): void | Promise<void> {
    // An exchange is charged once, however many adapters of this stage it meets.
    if (exchange.limit !== undefined && !this.#repeats) return undefined;
    const [rule] = this.#rules;
    if (rule === undefined || this.#rules.length > 1) return this.#enterMany(exchange);
    const bucketKey = rule.prefix + subjectOf(rule.key, exchange);
    const outcome = this.#limiters.main.take(bucketKey, rule.bucket, rule.cost);
    if (!(outcome instanceof Promise))
      return this.#conclude(exchange, [this.#settle(rule, bucketKey, outcome)]);
    return outcome.then((late) => this.#conclude(exchange, [this.#settle(rule, bucketKey, late)]));
  }

  /** Looks at buckets of this process without taking; those in a store are not asked for. */
  explain(exchange: Exchange): StageVerdict {
    const { main } = this.#limiters;
    const keys = this.#rules.map((rule) => rule.prefix + subjectOf(rule.key, exchange));
    const known = this.#rules.map((rule, i) => main.peek(keys[i] ?? '', rule.bucket, rule.cost));
    const refused = tightestOf(known);
    if (refused !== undefined && !refused.allowed) throw this.#limited(refused, known);
    const facts = Object.fromEntries(this.#rules.map(({ name }, i) => factOf(name, keys[i] ?? '', known[i])));
    if (known.includes(undefined)) return depends('the buckets are in Redis, which is not asked', facts);
    return passes(facts);
  }

  /** All rules must pass, and a refusal by one must not cost the tokens of another. */
  #enterMany(exchange: Exchange): void | Promise<void> {
    const takes = this.#rules.map(({ prefix, key, bucket, cost }) => ({
      bucketKey: prefix + subjectOf(key, exchange),
      rule: bucket,
      cost,
    }));
    const outcomes = this.#limiters.main.takeAll(takes);
    if (!(outcomes instanceof Promise)) return this.#concludeMany(exchange, takes, outcomes);
    return outcomes.then((late) => this.#concludeMany(exchange, takes, late));
  }

  #concludeMany(
    exchange: Exchange,
    takes: readonly Take[],
    outcomes: readonly (TakeOutcome | undefined)[],
  ): void {
    const verdicts = this.#rules.map((rule, i) => {
      const outcome = outcomes[i];
      return outcome === undefined ? undefined : this.#settle(rule, takes[i]?.bucketKey ?? '', outcome);
    });
    if (verdicts.some(refuses)) this.#putBack(takes, outcomes, verdicts);
    this.#conclude(exchange, verdicts);
  }

  /** What the store took stays taken only where nobody refuses; it has put back itself what it refused itself. */
  #putBack(
    takes: readonly Take[],
    outcomes: readonly (TakeOutcome | undefined)[],
    verdicts: readonly Verdict[],
  ): void {
    const { main, local } = this.#limiters;
    const hasTaken = !outcomes.some((outcome) => typeof outcome === 'object' && !outcome.allowed);
    takes.forEach(({ bucketKey, rule, cost }, i) => {
      const verdict = verdicts[i];
      if (verdict === undefined || refuses(verdict)) return;
      if (outcomes[i] === STORE_UNAVAILABLE) local.refund(bucketKey, rule, cost);
      else if (hasTaken) main.refund(bucketKey, rule, cost);
    });
  }

  #settle(rule: CompiledRule, bucketKey: string, outcome: TakeOutcome): Verdict {
    if (outcome !== STORE_UNAVAILABLE) return outcome;
    this.#limiters.observer?.decided(this.#routeId, `store-error-${rule.onStoreError}`);
    switch (rule.onStoreError) {
      case 'local': // Neither open nor closed: each process grants its part of the limit for as long as it counts alone.
        return this.#limiters.local.take(bucketKey, rule.bucket, rule.cost);
      case 'open': // Fails open: the operator prefers an unlimited route to a closed one.
        return undefined;
      case 'closed': // Fails closed: the operator prefers no answer to an unlimited one.
        return 'closed';
    }
  }

  #conclude(exchange: Exchange, verdicts: readonly Verdict[]): void {
    const tightest = tightestOf(verdicts);
    if (!this.#repeats) {
      exchange.limit = tightest;
      appendFields(exchange.responseHeaders, this.#policyField, this.#rules, verdicts, tightest);
    }
    if (tightest !== undefined && !tightest.allowed) {
      this.#limiters.observer?.decided(this.#routeId, 'limited');
      throw this.#limited(tightest, verdicts);
    }
    if (verdicts.includes('closed')) {
      const by = this.#rules[verdicts.indexOf('closed')]?.name;
      throw new Problem('limiter-unavailable', { headers: { 'retry-after': '1' }, by });
    }
    this.#limiters.observer?.decided(this.#routeId, 'allowed');
  }

  #limited(tightest: LimitDecision, verdicts: readonly Verdict[]): Problem {
    return new Problem('rate-limited', {
      headers: { 'retry-after': retryAfterSeconds(tightest.retryAfterMs) },
      extensions: { retryAfterMs: tightest.retryAfterMs },
      by: this.#rules[verdicts.indexOf(tightest)]?.name,
    });
  }
}

function factOf(name: string, key: string, known: LimitDecision | undefined): [string, string] {
  const left = known === undefined ? '' : `, ${known.remaining} of ${known.limit} left`;
  return [`key ${name}`, key + left];
}

function refuses(verdict: Verdict): boolean {
  return verdict !== undefined && (verdict === 'closed' || !verdict.allowed);
}
