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
  #query: URLSearchParams | undefined = undefined;

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
    const cause = new PlainFault(`lists of more than ${this.#maxElements} elements to map`);
    throw new Problem('upstream-response-invalid', { cause });
  }

  /** The decoded value of a path parameter, by its place in the pattern. */
  parameter(index: number): string | undefined {
    const encoded = this.exchange.params[index];
    try {
      return encoded === undefined ? undefined : decodeURIComponent(encoded);
    } catch {
      return undefined;
    }
  }

  /** The value of a name in the query; undefined for one that stands there twice, because services differ in which counts. */
  query(name: string): string | undefined {
    this.#query ??= new URLSearchParams(this.exchange.query);
    const values = this.#query.getAll(name);
    return values.length === 1 ? values[0] : undefined;
  }

  /** The value of a field of the request. */
  header(name: string): string | undefined {
    const value = this.exchange.request.headers[name];
    return typeof value === 'string' ? value : undefined;
  }
}

/** Takes a value out of a run; undefined where there is none. */
export type Read = (scope: TemplateScope) => unknown;
