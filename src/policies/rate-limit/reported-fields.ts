import type { Exchange } from '../../exchange/exchange.ts';
import type { ResponseHead } from '../stage.ts';

const WHOLE_NUMBER = /^\d{1,12}$/;

type Said = Map<string, number>;

/** What was taken out of a head: another stage that asks for the same field comes after the first. */
const taken = new WeakMap<ResponseHead, Said>();

/** Header fields in which services say what requests were worth. */
export class ReportedFields {
  readonly #names: ReadonlySet<string>;

  /** @param names in lower case. */
  constructor(names: Iterable<string>) {
    this.#names = new Set(names);
  }

  /**
   * Takes the fields out of an answer. Of one that was stored or is told again, which no service has worked for, nothing is told.
   *
   * @returns the largest number that each field says; undefined for none of the fields.
   */
  takeOut(exchange: Exchange, head: ResponseHead): ReadonlyMap<string, number> | undefined {
    const inHead = this.#takeFrom(head);
    if (exchange.cached !== undefined || exchange.isReplayed) return undefined;
    // Of a stored answer that the service has confirmed, only what it has said of that counts.
    const { confirmedBy } = exchange;
    return confirmedBy === undefined ? inHead : this.#takeFrom({ ...head, headers: [...confirmedBy] });
  }

  #takeFrom(head: ResponseHead): Said | undefined {
    let said = taken.get(head);
    const { headers } = head;
    for (let i = headers.length - 2; i >= 0; i -= 2) {
      const field = headers[i]?.toLowerCase() ?? '';
      if (!this.#names.has(field)) continue;
      const value = headers[i + 1]?.trim() ?? '';
      headers.splice(i, 2);
      if (said === undefined) taken.set(head, (said = new Map<string, number>()));
      if (WHOLE_NUMBER.test(value)) said.set(field, Math.max(Number(value), said.get(field) ?? 0));
    }
    return said;
  }
}
