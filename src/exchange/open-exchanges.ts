import type { Exchange } from './exchange.ts';

/**
 * The exchanges of known callers that are under way. A list whose links are in the exchanges themselves: adding one and taking
 * it out again, which happens with each request, allocates nothing and looks for nothing.
 */
export class OpenExchanges {
  #first: Exchange | undefined = undefined;
  #size = 0;

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** Adds an exchange, until it closes. One that is in a list already stays where it is, and one that has ended stays out. */
  add(exchange: Exchange): void {
    if (exchange.listedIn !== undefined || exchange.cancelled !== undefined) return;
    const next = this.#first;
    exchange.listedIn = this;
    exchange.nextOpen = next;
    if (next !== undefined) next.previousOpen = exchange;
    this.#first = exchange;
    this.#size += 1;
  }

  /** Takes an exchange out. */
  remove(exchange: Exchange): void {
    const { previousOpen: previous, nextOpen: next } = exchange;
    if (previous === undefined) this.#first = next;
    else previous.nextOpen = next;
    if (next !== undefined) next.previousOpen = previous;
    exchange.previousOpen = undefined;
    exchange.nextOpen = undefined;
    exchange.listedIn = undefined;
    this.#size -= 1;
  }

  /** Those that something holds for. */
  filter(holds: (exchange: Exchange) => boolean): readonly Exchange[] {
    const found: Exchange[] = [];
    for (let one = this.#first; one !== undefined; one = one.nextOpen) if (holds(one)) found.push(one);
    return found;
  }
}
