import type { FastifyReply } from 'fastify';
import { hash } from 'node:crypto';
import { pipeline, Readable, Transform, type TransformCallback } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { Answer, Exchange } from '../../exchange/exchange.ts';
import { fieldOf } from '../../exchange/field-list.ts';
import { putHead } from '../../exchange/stage-answer.ts';
import { STAND_IN_STATUS, standInOf } from '../../exchange/stand-in.ts';
import { isKnownToClient } from './http-conditions.ts';
import type { Recording } from './recording.ts';

const OK = 200;
const NO_CONTENT = 204;
const NOT_MODIFIED = 304;
const NOTHING = Buffer.alloc(0);

/** What a handler's run adds to an answer that says something of this run only. */
const OF_THE_RUN: ReadonlySet<string> = new Set(['set-cookie', 'server-timing']);
/** Fields of one connection, which are nobody else's (RFC 9111 section 3.1). */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set([
  'connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade',
]); // prettier-ignore
/** Fields of a body that a 304 does not have. */
const OF_THE_BODY = ['content-type', 'content-length', 'content-encoding', 'content-language'] as const;

/**
 * Has the answer of a handler kept as it leaves, if its cache wants that: after all edits of its JSON, and before what edits
 * bytes. What is whole with its head gets a weak validator where it has none, and becomes a 304 for a client that has it.
 *
 * @returns what is to be sent: `null` for nothing.
 */
export function recordReply(exchange: Exchange, reply: FastifyReply, payload: unknown): unknown {
  const { recording } = exchange;
  if (recording === undefined) return payload;
  const standIn = STAND_IN_STATUS.has(reply.statusCode) ? standInOf(exchange, exchange.route) : undefined;
  if (standIn !== undefined) {
    recording.abandon();
    if (payload instanceof Readable) payload.destroy();
    return inPlace(reply, standIn);
  }
  if (payload instanceof Response) {
    // Its status and fields are not there yet.
    recording.refuse();
    return payload;
  }
  const headers = answerFields(exchange, reply, recording);
  const body = wholeOf(payload);
  if (body !== undefined) return recordWhole(exchange, reply, { payload, headers, body });
  begin(exchange, recording, reply.statusCode, headers);
  return recording.isKeeping ? tapped(recording, payload) : payload;
}

interface WholeReply {
  readonly payload: unknown;
  readonly headers: string[];
  readonly body: Buffer;
}

function recordWhole(
  exchange: Exchange,
  reply: FastifyReply,
  { payload, headers, body }: WholeReply,
): unknown {
  const recording = exchange.recording as Recording;
  const { statusCode } = reply;
  if (statusCode !== NO_CONTENT) headers.push('content-length', String(body.length));
  const isTagged = statusCode === OK && body.length <= recording.maxBytes && !isValidated(headers);
  const tag = isTagged ? `W/"${hash('sha256', body, 'base64url').slice(0, 27)}"` : undefined;
  if (tag !== undefined) headers.push('etag', tag);
  begin(exchange, recording, statusCode, headers);
  if (tag !== undefined && recording.isKeeping) exchange.responseHeaders.push('etag', tag);
  recording.data(body);
  recording.end();
  if (statusCode !== OK || !isKnownToClient(exchange.request.headers, headers)) return payload;
  void reply.code(NOT_MODIFIED);
  for (const name of OF_THE_BODY) void reply.removeHeader(name);
  exchange.bytesOut = 0;
  return null;
}

function isValidated(headers: readonly string[]): boolean {
  return fieldOf(headers, 'etag') !== undefined || fieldOf(headers, 'last-modified') !== undefined;
}

/** Hands over the head, and says of the answer what the cache does with it. */
function begin(exchange: Exchange, recording: Recording, status: number, headers: string[]): void {
  const said = headers.length;
  recording.start(status, headers);
  exchange.responseHeaders.push(...headers.slice(said));
}

function inPlace(reply: FastifyReply, answer: Answer): unknown {
  for (const name of Object.keys(reply.getHeaders())) {
    void reply.removeHeader(name);
    reply.raw.removeHeader(name);
  }
  putHead(reply, answer);
  return answer.body.length === 0 ? null : answer.body;
}

// What stages add belongs to this exchange only, but for `Vary`, of which rather too much holds; what views add is theirs.
function answerFields({ responseHeaders }: Exchange, reply: FastifyReply, recording: Recording): string[] {
  const { handledFrom = responseHeaders.length } = recording;
  const added: string[] = [];
  const replaced = new Set<string>();
  for (let i = 0; i < responseHeaders.length; i += 2) {
    const name = responseHeaders[i] as string;
    if (name !== 'vary' && (i < handledFrom || OF_THE_RUN.has(name))) continue;
    added.push(name, responseHeaders[i + 1] as string);
    if (name !== 'vary') replaced.add(name);
  }
  const headers: string[] = [];
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (replaced.has(name.toLowerCase()) || OF_THE_CONNECTION.has(name.toLowerCase())) continue;
    for (const one of [value].flat()) headers.push(name, String(one));
  }
  headers.push(...added);
  return headers;
}

/** The bytes of an answer that is whole; undefined for a stream. */
function wholeOf(payload: unknown): Buffer | undefined {
  if (payload === undefined || payload === null) return NOTHING;
  if (typeof payload === 'string') return Buffer.from(payload);
  if (Buffer.isBuffer(payload)) return payload;
  return payload instanceof Uint8Array ? Buffer.from(payload) : undefined;
}

function tapped(recording: Recording, payload: unknown): Readable {
  const tap = new Tap(recording);
  const source = payload instanceof Readable ? payload : Readable.fromWeb(payload as ReadableStream);
  // Who sends the tap hears of faults by it.
  pipeline(source, tap, () => undefined);
  return tap;
}

/** Passes bytes on and has them recorded. */
class Tap extends Transform {
  readonly #recording: Recording;

  constructor(recording: Recording) {
    super();
    this.#recording = recording;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#recording.data(chunk);
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    this.#recording.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // Nothing to what has come whole.
    this.#recording.abandon();
    done(error);
  }
}
