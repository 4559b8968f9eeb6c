import { Readable } from 'node:stream';
import type { Exchange } from '../exchange/exchange.ts';
import { countingBody } from '../policies/body-limit/counting-body.ts';
import type { Route } from '../routing/route.ts';
import type { IncomingBody } from '../upstreams/http/outbound-body.ts';
import { outboundTrailers } from '../upstreams/http/trailers.ts';

/** The body of a request that is forwarded, with what follows it; counted while it streams. */
export function bodyOf(exchange: Exchange, route: Route): IncomingBody {
  const { request, heldBody } = exchange;
  // Never the request itself: a transport destroys what it was given, and with it the way back to the client.
  const maxBytes = route.policies.bodyLimit ?? Infinity;
  const length = request.headers['content-length'];
  return {
    stream:
      heldBody !== undefined
        ? Readable.from(heldBody.length > 0 ? [heldBody] : [])
        : countingBody(request, maxBytes, (problem) => exchange.cancel(problem)),
    length: length === undefined ? undefined : Number(length),
    trailers: () => outboundTrailers(exchange),
  };
}
