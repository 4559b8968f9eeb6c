import type { FastifyRequest } from 'fastify';
import type { Request } from 'graphql-sse';
import type { Exchange } from '../../../exchange/exchange.ts';
import { Problem } from '../../../problems/problem.ts';
import { EVENT_STREAM, prefersStream } from '../door/accept.ts';
import type { GraphqlRequest } from '../door/graphql-request.ts';

/** The header field with the token of a single connection. */
export const STREAM_TOKEN = 'x-graphql-event-stream-token';

/** What a request about a stream is asked with. */
export interface Asking {
  readonly exchange: Exchange;
  /** Names the stream that the operations of a request live on; undefined for one of its own. */
  readonly token: string | undefined;
  /** The operation that it asks for, or what is malformed in it; undefined when it is about a stream only. */
  readonly operation?: GraphqlRequest | string | undefined;
}

/** A request as the library reads it. */
export type StreamRequest = Request<FastifyRequest, Asking>;

/** Puts a request into the form that the library reads. Of an operation it reads only the id: the rest is read. */
export function streamRequestOf(request: FastifyRequest, asking: Asking): StreamRequest {
  const { url, headers } = request;
  const { operation } = asking;
  const extensions = typeof operation === 'object' ? operation.extensions : undefined;
  return {
    // The library would look for the parameters of a GET in its address.
    method: operation === undefined ? request.method : 'POST',
    url,
    headers: {
      get: (name) => {
        // The library knows a type only when it stands alone.
        if (name === 'accept' && prefersStream(headers.accept)) return EVENT_STREAM;
        if (name === 'content-type' && operation !== undefined) return 'application/json';
        const value = headers[name];
        return Array.isArray(value) ? value.join() : (value ?? null);
      },
    },
    body: operation === undefined ? null : { query: '', extensions },
    raw: request,
    context: asking,
  };
}

/** A request of nobody that opens a reserved stream. */
export function openingRequest(asking: Asking): StreamRequest {
  const headers = { get: (name: string) => (name === 'accept' ? EVENT_STREAM : null) };
  return { method: 'GET', url: '/', headers, body: null, raw: undefined as never, context: asking };
}

/** @throws {Problem} `request-invalid` when a request to end an operation does not say which, or of which stream. */
export function requireOperation({ query }: FastifyRequest, token: string | undefined): void {
  const operationId = (query as Readonly<Record<string, unknown>> | undefined)?.['operationId'];
  if (token === undefined)
    throw new Problem('request-invalid', { detail: `Send the token as "${STREAM_TOKEN}".` });
  if (typeof operationId === 'string' && operationId !== '') return;
  throw new Problem('request-invalid', { detail: 'Say which operation with the parameter "operationId".' });
}
