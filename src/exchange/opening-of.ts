import type { Exchange, ExchangeOpening } from './exchange.ts';

/** What another exchange of the same request, or of a part of it, begins with. */
export function openingOf(exchange: Exchange): ExchangeOpening {
  const { id, trace, clientAddress, addressDoubt, scheme, host, path, query, request, response, snapshot } =
    exchange;
  return { id, trace, clientAddress, addressDoubt, scheme, host, path, query, request, response, snapshot };
}
