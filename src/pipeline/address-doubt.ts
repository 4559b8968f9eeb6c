import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';

/** Refuses who is not known by one address. @throws {Problem} `request-malformed`. */
export function refuseDoubt({ addressDoubt }: Pick<Exchange, 'addressDoubt'>): void {
  // Fails closed: whose address counts for limits and lists would be the client's own choice.
  if (addressDoubt === 'contradiction')
    throw new Problem('request-malformed', {
      detail: 'Forwarded and X-Forwarded-For do not name the same client, or cannot be read.',
    });
}
