import type { FastifyReply } from 'fastify';
import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ResponseHead } from '../policies/stage.ts';
import { answerStreamOf } from './answer-stream.ts';
import type { Exchange } from './exchange.ts';
import { fieldOf } from './field-list.ts';
import { headSeatsOf } from './head-stages.ts';
import { finishHead } from './response-head.ts';

/** Statuses that have no body. */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

type Field = readonly [name: string, value: OutgoingHttpHeader | undefined];

/**
 * Does for the reply of a handler what {@link finishHead} does for a list of fields. A field that a stage added replaces
 * the handler's, but `Vary`, of which both hold. Without stages that edit heads no list is made.
 *
 * @param payload what is sent; for what edits bytes.
 * @returns what edits the bytes of it, if a stage wants to.
 * @throws as `finishHead` does.
 */
export function finishReply(exchange: Exchange, reply: FastifyReply, payload?: unknown): Duplex | undefined {
  const { responseHeaders } = exchange;
  if (!reply.raw.shouldKeepAlive) endConnection(reply);
  const isEdited =
    (headSeatsOf(exchange)?.answers.length ?? 0) > 0 || (exchange.route?.streams.length ?? 0) > 0;
  if (isEdited) return finishAsList(exchange, reply, payload);
  for (let i = 0; i < responseHeaders.length; i += 2) {
    const name = responseHeaders[i] as string;
    const before = name === 'vary' ? reply.getHeader(name) : undefined;
    const value = responseHeaders[i + 1] as string;
    void reply.header(name, before === undefined ? value : [before, value].flat());
  }
  void reply.header('x-request-id', exchange.id);
  return undefined;
}

/**
 * Has the head of an answer finished that is written past Fastify, as Nest does with the events of `@Sse()`.
 *
 * What {@link finishHead} throws is thrown by `writeHead`; nothing is written then.
 */
export function finishOnWrite(exchange: Exchange, raw: ServerResponse): void {
  raw.writeHead = (status: number, fields?: unknown) => {
    // The one of its class again, also for a problem in its place.
    delete (raw as Partial<ServerResponse>).writeHead;
    const head = finishedHead(exchange, status, Object.entries((fields ?? {}) as OutgoingHttpHeaders));
    return raw.writeHead(head.status, head.headers);
  };
}

function finishedHead(exchange: Exchange, status: number, fields: readonly Field[]): ResponseHead {
  const replaced = new Set(exchange.responseHeaders.filter((_, i) => i % 2 === 0).map(lower));
  replaced.delete('vary');
  const headers: string[] = [];
  for (const [name, value] of fields) {
    if (!replaced.has(lower(name))) for (const one of [value].flat()) headers.push(name, String(one));
  }
  const head = { status, headers };
  finishHead(exchange, head, 'answer');
  return head;
}

function finishAsList(exchange: Exchange, reply: FastifyReply, payload: unknown): Duplex | undefined {
  const fields = Object.entries(reply.getHeaders());
  const head = finishedHead(exchange, reply.statusCode, fields);
  const stream = replyStreamOf(exchange, head, payload);
  for (const [name] of fields) {
    void reply.removeHeader(name);
    // What a handler has set past Fastify.
    reply.raw.removeHeader(name);
  }
  void reply.code(head.status);
  for (const [name, values] of grouped(head.headers)) void reply.header(name, values);
  return stream;
}

function replyStreamOf(exchange: Exchange, head: ResponseHead, payload: unknown): Duplex | undefined {
  if (BODILESS.has(head.status)) return answerStreamOf(exchange, head);
  if (payload === undefined || payload === null) return undefined;
  const length =
    typeof payload === 'string' || payload instanceof Uint8Array ? Buffer.byteLength(payload) : undefined;
  // As Fastify would say it.
  if (length !== undefined && fieldOf(head.headers, 'content-length') === undefined)
    head.headers.push('content-length', String(length));
  return answerStreamOf(exchange, head);
}

/** A field for each name, because a reply keeps one of each. */
function grouped(headers: readonly string[]): Map<string, string | string[]> {
  const fields = new Map<string, string | string[]>();
  for (let i = 0; i < headers.length; i += 2) {
    const name = lower(headers[i] as string);
    const before = fields.get(name);
    const value = headers[i + 1] as string;
    fields.set(name, before === undefined ? value : [before, value].flat());
  }
  return fields;
}

// A handler that names no end promises to stay, as `node:http` understands it.
function endConnection(reply: FastifyReply): void {
  const said = reply.getHeader('connection');
  if (said !== undefined) void reply.header('connection', `${String(said)}, close`);
}

function lower(name: string): string {
  return name.toLowerCase();
}
