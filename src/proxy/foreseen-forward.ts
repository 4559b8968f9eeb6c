import type { Exchange } from '../exchange/exchange.ts';
import type { ForeseenRequest } from '../routing/route-action.ts';
import { attemptFields } from '../upstreams/http/attempt-fields.ts';
import type { Outbound } from '../upstreams/http/outbound.ts';
import type { Http1Pool } from '../upstreams/transport/http1/http1-pool.ts';
import type { Upstream } from '../upstreams/upstream.ts';

/** What would go out for an exchange, head by head; nothing is sent. */
export function foreseenForward(
  exchange: Exchange,
  upstream: Upstream,
  { path, headers, host }: Outbound,
  body: Buffer | null,
): ForeseenRequest {
  const time = { isRepeated: false, leftMs: () => exchange.remainingMs() };
  return {
    upstream,
    headFor(target) {
      exchange.targetLabels = target.labels;
      const fields = attemptFields(headers, exchange, upstream, time);
      // Targets of upstreams of HTTP have one.
      return (target.http1 as Http1Pool).headOf({ method: exchange.method, path, fields, body, host });
    },
  };
}
