import type { Exchange } from '../../exchange/exchange.ts';
import type { ResponseHead } from '../stage.ts';
import { STORE_UNAVAILABLE } from '../../store/store-guard.ts';
import type { CompiledRule } from './compiled-rule.ts';
import type { BucketRule } from './rate-limiter.ts';
import { ReportedFields } from './reported-fields.ts';
import { takesOf, type Limiters } from './rule-takes.ts';

/**
 * Charges what services say that requests were worth, beyond what was taken ahead, or puts back what was too much. The answer is
 * there already, so nobody is refused for it but who comes next. What is reported while the store is away is charged when it is back.
 */
export class ReportedCosts {
  readonly #rules: readonly CompiledRule[];
  readonly #fields: ReportedFields;
  readonly #limiters: Limiters;

  constructor(rules: readonly CompiledRule[], limiters: Limiters) {
    this.#rules = rules;
    this.#fields = new ReportedFields(
      rules.flatMap(({ reported }) => (reported === undefined ? [] : [reported.field])),
    );
    this.#limiters = limiters;
  }

  /** Takes the fields out of an answer, and charges for it. */
  settle(exchange: Exchange, head: ResponseHead): void {
    const said = this.#fields.takeOut(exchange, head);
    if (said === undefined) return;
    for (const { by, bucketKey, rule, cost } of takesOf(this.#rules, exchange)) {
      const { field, atMost } = by.reported ?? { field: '', atMost: 0 };
      const reported = said.get(field);
      if (reported === undefined) continue;
      const more = Math.min(reported, atMost, rule.burst) - cost;
      if (more > 0) this.#charge(by, bucketKey, rule, more);
      else if (more < 0) this.#limiters.main.refund(bucketKey, rule, -more);
    }
  }

  // While the store is away this process counts, so that it counts here too.
  #charge({ onStoreError }: CompiledRule, bucketKey: string, rule: BucketRule, cost: number): void {
    const { main, local } = this.#limiters;
    const isAway = main.charge(bucketKey, rule, cost) === STORE_UNAVAILABLE;
    if (isAway && onStoreError === 'local') local.charge(bucketKey, rule, cost);
  }
}
