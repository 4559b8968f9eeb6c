import type { Exchange } from '../exchange/exchange.ts';
import type { Foreseen, ForeseenRequest } from '../routing/foreseen.ts';
import type { Route } from '../routing/route.ts';
import type { UpstreamRegistry } from '../upstreams/upstream-registry.ts';
import { headOfCall } from '../upstreams/grpc/call-head.ts';
import { outboundFields } from '../upstreams/grpc/outbound-metadata.ts';
import { callFields } from '../upstreams/http/call-fields.ts';

/** What is known of the calls of a handler before it runs: what each of them carries, whichever they are. */
export function handlerCalls(exchange: Exchange, { origin }: Route, upstreams: UpstreamRegistry): Foreseen {
  const known = upstreams.all();
  const requests: ForeseenRequest[] = [];
  if (known.some(({ options }) => options.protocol === 'http'))
    requests.push({ name: 'each call over HTTP', upstream: undefined, headFor: () => httpHead(exchange) });
  if (known.some(({ options }) => options.protocol === 'grpc')) {
    const call = { path: '/{service}/{method}', fields: outboundFields(exchange, undefined) };
    const headFor = (): string => headOfCall(exchange, undefined, call);
    requests.push({ name: 'each call of gRPC', upstream: undefined, headFor });
  }
  return { untold: `${origin} is code: which calls it makes is known when it runs`, requests };
}

function httpHead(exchange: Exchange): string {
  const fields = callFields(exchange, undefined, { leftMs: exchange.remainingMs(), hasBody: false });
  let head = '{method} /{path} HTTP/1.1\r\n';
  for (let i = 0; i < fields.length; i += 2) head += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return head;
}
