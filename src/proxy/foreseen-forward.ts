import { Readable } from 'node:stream';
import type { Exchange } from '../exchange/exchange.ts';
import { incomingEditOf } from '../policies/transform/incoming-body.ts';
import type { Foreseen, ForeseenBody, ForeseenRequest } from '../routing/foreseen.ts';
import type { Route } from '../routing/route.ts';
import { attemptFields } from '../upstreams/http/attempt-fields.ts';
import type { Outbound } from '../upstreams/http/outbound.ts';
import type { Http1Pool } from '../upstreams/transport/http1/http1-pool.ts';
import type { Target } from '../upstreams/target.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { describedAnew, editBody } from './edited-body.ts';
import { finalWordOn } from './final-recipient.ts';

const FINAL_WORDS = { request: 'the request as it came here', methods: 'the methods that are allowed' };

/** Whoever forwards, as far as it says what it would send. */
interface Forwards {
  readonly upstream: Upstream;
  outboundOf(exchange: Exchange, body: Outbound['body']): Outbound;
}

/**
 * What would go out for an exchange, with its body as it would be edited; nothing is sent.
 *
 * @throws {Problem} as {@link editBody}.
 */
export async function foreseenForward(
  exchange: Exchange,
  action: Forwards,
  route: Route,
  bytes: Buffer | undefined,
): Promise<Foreseen> {
  const word = finalWordOn(exchange);
  if (word !== undefined) return { answer: `Max-Forwards: 0, with ${FINAL_WORDS[word]}`, requests: [] };
  const outbound = action.outboundOf(exchange, null);
  const body = await foreseenBody(exchange, route, bytes);
  return { requests: [foreseenRequest(exchange, action.upstream, outbound, body)] };
}

function foreseenRequest(
  exchange: Exchange,
  upstream: Upstream,
  { path, headers, host }: Outbound,
  body: ForeseenBody | undefined,
): ForeseenRequest {
  const time = { isRepeated: false, leftMs: () => exchange.remainingMs() };
  const described = body?.as === undefined ? headers : describedAnew(headers, body.bytes.length);
  return {
    upstream,
    body,
    headFor(target) {
      exchange.targetLabels = target?.labels;
      const fields = attemptFields(described, exchange, upstream, time);
      const { method } = exchange;
      // Targets of upstreams of HTTP have one.
      const { http1 } = target as Target;
      return (http1 as Http1Pool).headOf({ method, path, fields, body: body?.bytes ?? null, host });
    },
  };
}

// By the same edits that a real one meets.
async function foreseenBody(
  exchange: Exchange,
  { incoming }: Route,
  bytes: Buffer | undefined,
): Promise<ForeseenBody | undefined> {
  const edit = incomingEditOf(incoming);
  if (bytes === undefined || edit === undefined) return bytes && { bytes };
  const stream = Readable.from(bytes.length === 0 ? [] : [bytes], { objectMode: false });
  const asked = { stream, length: bytes.length, trailers: () => [] };
  const { body, isEdited } = await editBody(exchange, asked, edit);
  if (!isEdited) return { bytes };
  const pieces: Buffer[] = [];
  for await (const piece of body.stream) pieces.push(piece as Buffer);
  return { bytes: Buffer.concat(pieces), as: 'edited' };
}
