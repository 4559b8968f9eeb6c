import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { PlainFault } from '../telemetry/error-facts.ts';

/** What the values of one answer are taken from: the request, and what calls have answered. */
export class TemplateScope {
  readonly exchange: Exchange;
  /** The answer of each call, in the order of the file; `null` for one that failed alone. */
  readonly answers: unknown[];
  /** The element that `each` is at. */
  item: unknown = undefined;
  /** How many elements of lists were mapped. */
  mapped = 0;
  readonly #maxElements: number;

  /**
   * @param size how many calls there are.
   * @param maxElements how many elements of lists may be mapped, all of them together: `aggregate.maxElements`.
   */
  constructor(exchange: Exchange, size: number, maxElements: number) {
    this.exchange = exchange;
    this.#maxElements = maxElements;
    this.answers = new Array<unknown>(size).fill(undefined);
  }

  /**
   * Counts the elements of a list that is about to be mapped: what each becomes may be much more than it was.
   *
   * @throws {Problem} `upstream-response-invalid` when they are too many.
   */
  count(value: unknown): void {
    if (!Array.isArray(value)) return;
    this.mapped += value.length;
    if (this.mapped <= this.#maxElements) return;
    const cause = new PlainFault(`lists of more than ${this.#maxElements} elements to map (maxElements)`);
    throw new Problem('upstream-response-invalid', { cause });
  }
}

/** Takes a value out of a run; undefined where there is none. */
export type Read = (scope: TemplateScope) => unknown;
