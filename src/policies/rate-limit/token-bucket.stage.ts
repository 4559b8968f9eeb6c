import type { Exchange, LimitDecision } from '../../exchange/exchange.ts';
import { Problem, retryAfterSeconds } from '../../problems/problem.ts';
import { depends, passes, type StageVerdict } from '../explained-stage.ts';
import type { Stage } from '../stage.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { appendFields, policyField, tightestOf, type NamedRule, type Verdict } from './rate-limit-fields.ts';
import { ReportedCosts } from './reported-costs.ts';
import { settle, settleAll, takesOf, type Limiters, type RuleTake } from './rule-takes.ts';
import { ShadowLimits } from './shadow-limits.ts';

/** Takes what a request costs from the limits of its route. */
export class RateLimitStage implements Stage {
  readonly message: Stage['message'];
  readonly head: Stage['head'];
  readonly spend: Stage['spend'];
  readonly #routeId: string;
  /** Those that refuse. */
  readonly #rules: readonly CompiledRule[];
  /** The usual limit, where it is the only one: one bucket that is the same for everybody, and a cost that is always the same. */
  readonly #single: CompiledRule | undefined;
  /** Undefined where it depends on the caller. */
  readonly #policyField: string | undefined;
  readonly #limiters: Limiters;
  readonly #repeats: boolean;
  readonly #shadow: ShadowLimits | undefined;
  /** Exchanges that were charged and may have no decision to tell. */
  readonly #met: WeakSet<Exchange> | undefined;

  /** @param repeats charges an exchange each time, and shows no header fields: they could tell of one time only. */
  constructor(routeId: string, rules: readonly CompiledRule[], limiters: Limiters, repeats = false) {
    const shadow = rules.filter(({ isShadow = false }) => isShadow);
    this.#repeats = repeats;
    this.#routeId = routeId;
    this.#rules = rules.filter(({ isShadow = false }) => !isShadow);
    this.#limiters = limiters;
    this.#shadow = shadow.length === 0 ? undefined : new ShadowLimits(routeId, shadow, limiters);
    const isSame = this.#rules.every(({ bucketOf }) => bucketOf === undefined);
    this.#single =
      rules.length === 1 && isSame && this.#rules[0]?.costOf === undefined ? this.#rules[0] : undefined;
    this.#policyField = isSame ? policyField(this.#rules) : undefined;
    this.#met = repeats || (isSame && shadow.length === 0) ? undefined : new WeakSet();
    this.message = this.#charging(rules);
    this.head = reporting(rules, limiters);
    this.spend = this.#rules.some(({ isByQuery }) => isByQuery === true) ? this.#spend : undefined;
  }

  // Only where a rule says so, so that the others cost nothing.
  #charging(rules: readonly CompiledRule[]): Stage['message'] {
    const priced = rules.flatMap((rule) =>
      rule.perMessage === undefined
        ? []
        : [{ ...rule, cost: rule.perMessage, costOf: undefined, perMessage: undefined, reported: undefined }],
    );
    if (priced.length === 0) return undefined;
    const stage = new RateLimitStage(this.#routeId, priced, this.#limiters, true);
    return (exchange) => stage.enter(exchange);
  }

  enter(exchange: Exchange): void | Promise<void> {
    // An exchange is charged once, however many adapters of this stage it meets.
    if (exchange.limit !== undefined && !this.#repeats) return undefined;
    const rule = this.#single;
    if (rule === undefined) return this.#enterMany(exchange);
    const bucketKey = rule.prefix + rule.subjectOf(exchange) + rule.suffix;
    const outcome = this.#limiters.main.take(bucketKey, rule.bucket, rule.cost);
    if (typeof outcome === 'object' && !(outcome instanceof Promise))
      return this.#conclude(exchange, this.#rules, [outcome]);
    const take = { by: rule, bucketKey, rule: rule.bucket, cost: rule.cost };
    if (!(outcome instanceof Promise))
      return this.#conclude(exchange, this.#rules, [settle(this.#limiters, this.#routeId, take, outcome)]);
    return outcome.then((late) =>
      this.#conclude(exchange, this.#rules, [settle(this.#limiters, this.#routeId, take, late)]),
    );
  }

  /** Looks at buckets of this process without taking; those in a store are not asked for. */
  explain(exchange: Exchange): StageVerdict {
    const takes = takesOf(this.#rules, exchange);
    const known = takes.map(({ bucketKey, rule, cost }) => this.#limiters.main.peek(bucketKey, rule, cost));
    const refused = tightestOf(known);
    if (refused !== undefined && !refused.allowed) throw limited(refused, namesOf(takes), known);
    const facts = Object.fromEntries(takes.map((take, i) => factOf(take, known[i])));
    if (known.includes(undefined)) return depends('the buckets are in Redis, which is not asked', facts);
    return passes(facts);
  }

  /** All rules must pass, and a refusal by one must not cost the tokens of another. */
  #enterMany(exchange: Exchange): void | Promise<void> {
    if (this.#met?.has(exchange) === true) return undefined;
    this.#met?.add(exchange);
    const takes = takesOf(this.#rules, exchange);
    if (takes.length === 0) return this.#shadow?.take(exchange);
    const outcomes = this.#limiters.main.takeAll(takes);
    const conclude = (known: Awaited<typeof outcomes>): void =>
      this.#conclude(exchange, namesOf(takes), settleAll(this.#limiters, this.#routeId, takes, known));
    return outcomes instanceof Promise ? outcomes.then(conclude) : conclude(outcomes);
  }

  #conclude(exchange: Exchange, rules: readonly NamedRule[], verdicts: readonly Verdict[]): void {
    const tightest = tightestOf(verdicts);
    if (!this.#repeats) {
      exchange.limit = tightest;
      appendFields(
        exchange.responseHeaders,
        this.#policyField ?? policyField(rules),
        rules,
        verdicts,
        tightest,
      );
    }
    this.#refuse(rules, verdicts, tightest);
    this.#limiters.observer?.decided(this.#routeId, 'allowed');
    this.#shadow?.take(exchange);
  }

  #refuse(
    rules: readonly NamedRule[],
    verdicts: readonly Verdict[],
    tightest: LimitDecision | undefined,
  ): void {
    if (tightest !== undefined && !tightest.allowed) {
      this.#limiters.observer?.decided(this.#routeId, 'limited');
      throw limited(tightest, rules, verdicts);
    }
    if (!verdicts.includes('closed')) return;
    const by = rules[verdicts.indexOf('closed')]?.name;
    throw new Problem('limiter-unavailable', { headers: { 'retry-after': '1' }, by });
  }

  /** Charges what an operation costs beyond what was taken ahead; who is refused gets that back. */
  readonly #spend = (exchange: Exchange, cost: number): void | Promise<void> => {
    const all = takesOf(this.#rules, exchange);
    const more = all.flatMap((take) => {
      const missing = take.by.isByQuery === true ? Math.min(cost, take.rule.burst) - take.cost : 0;
      return missing > 0 ? [{ ...take, cost: missing }] : [];
    });
    if (more.length === 0) return undefined;
    const outcomes = this.#limiters.main.takeAll(more);
    const conclude = (known: Awaited<typeof outcomes>): void => {
      const verdicts = settleAll(this.#limiters, this.#routeId, more, known);
      try {
        this.#refuse(namesOf(more), verdicts, tightestOf(verdicts));
      } catch (error) {
        for (const { bucketKey, rule, cost: ahead } of all)
          this.#limiters.main.refund(bucketKey, rule, ahead);
        throw error;
      }
    };
    return outcomes instanceof Promise ? outcomes.then(conclude) : conclude(outcomes);
  };
}

function reporting(rules: readonly CompiledRule[], limiters: Limiters): Stage['head'] {
  const reported = rules.filter((rule) => rule.reported !== undefined);
  if (reported.length === 0) return undefined;
  const costs = new ReportedCosts(reported, limiters);
  return (exchange, head) => costs.settle(exchange, head);
}

function limited(
  tightest: LimitDecision,
  rules: readonly NamedRule[],
  verdicts: readonly Verdict[],
): Problem {
  const violated = rules.flatMap(({ name }, i) => {
    const verdict = verdicts[i];
    return typeof verdict === 'object' && !verdict.allowed ? [name] : [];
  });
  return new Problem('rate-limited', {
    headers: { 'retry-after': retryAfterSeconds(tightest.retryAfterMs) },
    extensions: { retryAfterMs: tightest.retryAfterMs, 'violated-policies': violated },
    by: rules[verdicts.indexOf(tightest)]?.name,
  });
}

function namesOf(takes: readonly RuleTake[]): readonly NamedRule[] {
  return takes.map(({ by, rule }) => ({ name: by.name, bucket: rule }));
}

function factOf({ by, bucketKey }: RuleTake, known: LimitDecision | undefined): [string, string] {
  const left = known === undefined ? '' : `, ${known.remaining} of ${known.limit} left`;
  return [`key ${by.name}`, bucketKey + left];
}
