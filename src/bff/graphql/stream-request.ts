import type { FastifyRequest } from 'fastify';
import type { Request } from 'graphql-sse';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import { EVENT_STREAM, prefersStream } from './accept.ts';
import { fieldsOf, mayHaveHash, needsFields, type RequestFields } from './graphql-request.ts';

/** The header field with the token of a single connection. */
export const STREAM_TOKEN = 'x-graphql-event-stream-token';
const JSON_TYPE = /^application\/json\s*(;|$)/i;

/** What a request about a stream is asked with. */
export interface Asking {
  readonly exchange: Exchange;
  /** Names the stream that the operations of a request live on; undefined for one of its own. */
  readonly token: string | undefined;
  /** The parameters of a request that has what the library does not read: a hash, or integers beyond 2^53. */
  readonly fields?: RequestFields | undefined;
}

/** A request as the library reads it. */
export type StreamRequest = Request<FastifyRequest, Asking>;

/** Puts a request into the form that the library reads. */
export function streamRequestOf(request: FastifyRequest, asking: Asking): StreamRequest {
  const { method, url, headers } = request;
  const body = (request.body as string | undefined) ?? null;
  const source = method === 'POST' ? (body ?? '') : url;
  const fields = needsFields(source) ? fieldsOf(method === 'POST' ? 'POST' : 'GET', source) : undefined;
  // The library insists on a text; an empty one stands for none.
  const isTextless = fields !== undefined && fields['query'] === undefined && mayHaveHash(source);
  return {
    method,
    url: isTextless && method === 'GET' ? `${url}&query=` : url,
    headers: {
      get: (name) => {
        // The library knows the type only when it stands alone.
        if (name === 'accept' && prefersStream(headers.accept)) return EVENT_STREAM;
        const value = headers[name];
        return Array.isArray(value) ? value.join() : (value ?? null);
      },
    },
    body: isTextless && method === 'POST' ? { ...fields, query: '' } : body,
    raw: request,
    context: { ...asking, fields },
  };
}

/** A request of nobody that opens a reserved stream. */
export function openingRequest(asking: Asking): StreamRequest {
  const headers = { get: (name: string) => (name === 'accept' ? EVENT_STREAM : null) };
  return { method: 'GET', url: '/', headers, body: null, raw: undefined as never, context: asking };
}

/** @throws {Problem} `media-type-unsupported` for a POST of anything but JSON. */
export function requireJson({ method, headers }: FastifyRequest): void {
  // The library takes anything that contains the name; a foreign page could send some of that without asking us.
  if (method === 'POST' && !JSON_TYPE.test(headers['content-type'] ?? ''))
    throw new Problem('media-type-unsupported');
}

/** @throws {Problem} `request-invalid` when a request to end an operation does not say which, or of which stream. */
export function requireOperation({ query }: FastifyRequest, token: string | undefined): void {
  const operationId = (query as Readonly<Record<string, unknown>> | undefined)?.['operationId'];
  if (token === undefined)
    throw new Problem('request-invalid', { detail: `Send the token as "${STREAM_TOKEN}".` });
  if (typeof operationId === 'string' && operationId !== '') return;
  throw new Problem('request-invalid', { detail: 'Say which operation with the parameter "operationId".' });
}
