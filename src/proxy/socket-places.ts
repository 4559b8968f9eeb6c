import type { Exchange } from '../exchange/exchange.ts';
import { principalOrAddress } from '../policies/rate-limit/limit-subject.ts';
import { Problem } from '../problems/problem.ts';

const RETRY_AFTER_S = '5';

/** How many sockets there may be at once. */
export interface PlaceLimits {
  /** Of the route. */
  readonly sockets: number;
  /** Of the route for one caller. */
  readonly perPrincipal: number;
}

/** Counts the sockets that are forwarded, in this process: of each caller at each route, of each route, and all. */
export class SocketPlaces {
  /** Most of all routes together. */
  most = Infinity;
  #all = 0;
  readonly #counts = new Map<string, number>();

  /**
   * Takes a place for the socket of an exchange, which gives it back when it closes.
   *
   * @throws {Problem} `rate-limited` when there is none.
   */
  take(exchange: Exchange, routeId: string, { sockets, perPrincipal }: PlaceLimits): void {
    // An id has no line break.
    const caller = `${routeId}\n${principalOrAddress(exchange)}`;
    if (this.#all >= this.most) throw full('webSocketLimit');
    if (this.#count(routeId) >= sockets) throw full('sockets');
    if (this.#count(caller) >= perPrincipal) throw full('perPrincipal');
    this.#add(routeId, caller, 1);
    exchange.onClosed(() => this.#add(routeId, caller, -1));
  }

  #count(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  #add(routeId: string, caller: string, by: 1 | -1): void {
    this.#all += by;
    for (const key of [routeId, caller]) {
      const count = this.#count(key) + by;
      if (count === 0) this.#counts.delete(key);
      else this.#counts.set(key, count);
    }
  }
}

function full(by: string): Problem {
  return new Problem('rate-limited', { headers: { 'retry-after': RETRY_AFTER_S }, by });
}
