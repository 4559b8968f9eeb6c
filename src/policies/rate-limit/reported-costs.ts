import type { Exchange } from '../../exchange/exchange.ts';
import type { ResponseHead } from '../stage.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { takesOf, type Limiters } from './rule-takes.ts';

const WHOLE_NUMBER = /^\d{1,9}$/;

/**
 * Charges what services say that requests were worth, beyond what was taken ahead, or puts back what was too much. The answer is
 * there already, so nobody is refused for it but who comes next. While the store does not answer, nothing of it is counted.
 */
export class ReportedCosts {
  readonly #rules: readonly CompiledRule[];
  readonly #fields: ReadonlySet<string>;
  readonly #limiters: Limiters;

  constructor(rules: readonly CompiledRule[], limiters: Limiters) {
    this.#rules = rules;
    this.#fields = new Set(rules.flatMap(({ reported }) => (reported === undefined ? [] : [reported.field])));
    this.#limiters = limiters;
  }

  /**
   * Takes the fields out of an answer, and charges for it; not for one that was stored or is told again, which no service has
   * worked for. Of one that was stored and that the service has confirmed, what it has said of that counts.
   */
  settle(exchange: Exchange, head: ResponseHead): void {
    const inHead = this.#takeOut(head);
    const { confirmedBy } = exchange;
    const said = confirmedBy === undefined ? inHead : this.#takeOut({ ...head, headers: [...confirmedBy] });
    if (said === undefined || exchange.cached !== undefined || exchange.isReplayed) return;
    for (const { by, bucketKey, rule, cost } of takesOf(this.#rules, exchange)) {
      const { field, atMost } = by.reported ?? { field: '', atMost: 0 };
      const reported = said.get(field);
      if (reported === undefined) continue;
      const more = Math.min(reported, atMost, rule.burst) - cost;
      if (more > 0) this.#limiters.main.charge(bucketKey, rule, more);
      else if (more < 0) this.#limiters.main.refund(bucketKey, rule, -more);
    }
  }

  /** The largest number that each field says; undefined for none of the fields. */
  #takeOut(head: ResponseHead): Map<string, number> | undefined {
    let said: Map<string, number> | undefined;
    const { headers } = head;
    for (let i = headers.length - 2; i >= 0; i -= 2) {
      const field = headers[i]?.toLowerCase() ?? '';
      if (!this.#fields.has(field)) continue;
      const value = headers[i + 1]?.trim() ?? '';
      headers.splice(i, 2);
      said ??= new Map<string, number>();
      if (WHOLE_NUMBER.test(value)) said.set(field, Math.max(Number(value), said.get(field) ?? 0));
    }
    return said;
  }
}
