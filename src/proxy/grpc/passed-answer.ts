import type { IncomingHttpHeaders } from 'node:http';
import type { Exchange } from '../../exchange/exchange.ts';
import {
  grpcStatusFields,
  grpcStatusName,
  grpcStatusOf,
  writeTrailersOnly,
  type GrpcDialect,
} from '../../problems/grpc-refusal.ts';
import type { Problem } from '../../problems/problem.ts';
import { renderProblem, toProblem } from '../../problems/render-problem.ts';
import type { Route } from '../../routing/route.ts';
import { MessageBounds } from '../../upstreams/grpc/message-bounds.ts';
import { isHopByHop } from '../../upstreams/http/field-names.ts';
import { webText } from './web-text.ts';

/** The flag of the frame in which browsers get what comes after the messages. */
const TRAILERS_FRAME = 0x80;
const PREFIX_BYTES = 5;
/** How a call has ended; no stage edits that. */
const STATUS_FIELD = /^grpc-(?:status|message|status-details-bin)$/;
/** Of the connection to the target, of HTTP, or ours to say. */
const NOT_PASSED = /^(?::.*|content-length|content-type|x-request-id)$/;

/** Writes the answer of a call that is passed on: metadata, messages as they come, and how it ended. */
export class PassedAnswer {
  readonly #exchange: Exchange;
  readonly #route: Route;
  readonly #dialect: GrpcDialect;
  readonly #type: string;
  /** Where messages end: nothing may follow on a part of one. */
  readonly #bounds = new MessageBounds();

  constructor(exchange: Exchange, route: Route, dialect: GrpcDialect) {
    this.#exchange = exchange;
    this.#route = route;
    this.#dialect = dialect;
    const { accept, 'content-type': said = '' } = exchange.request.headers;
    // Whoever sends one form of gRPC-Web may want the other.
    const asked =
      dialect === 'grpc' ? undefined : /application\/grpc-web(?:-text)?(?:\+[\w.-]+)?/i.exec(accept ?? '');
    this.#type = (asked?.[0] ?? (said.split(';')[0] as string)).trim().toLowerCase();
    if (dialect !== 'grpc') this.#dialect = this.#type.includes('-text') ? 'webText' : 'web';
  }

  /** Whether all messages so far are whole. */
  get isBetween(): boolean {
    return this.#bounds.isBetween;
  }

  /** Writes the head. @returns false when it could not be; a problem was written instead. */
  open(fields: IncomingHttpHeaders): boolean {
    const { response } = this.#exchange;
    const head = this.#head(listOf(fields));
    if (head === undefined) return false;
    response.writeHead(200, head);
    // The client learns that the call is open, however long the first message takes.
    response.flushHeaders();
    return true;
  }

  /** Writes a piece of the messages; it is copied. @returns whether there is room for more. */
  data(piece: Buffer): boolean {
    this.#bounds.take(piece);
    return this.#write(this.#dialect === 'webText' ? webText(piece) : Buffer.from(piece));
  }

  /** Ends the answer as the target has ended it. */
  end(trailers: IncomingHttpHeaders, head: IncomingHttpHeaders | undefined): void {
    const fields = this.#edited([...listOf(head ?? {}), ...listOf(trailers)]);
    this.#exchange.grpcStatus = grpcStatusName(fields[fields.lastIndexOf('grpc-status') + 1] ?? '');
    this.#finish(fields);
  }

  /** Ends the answer with a refusal of ours. What has begun and cannot say so is cut, so that the client notices. */
  fail(problem: Problem): void {
    const exchange = this.#exchange;
    const { response } = exchange;
    const isTold = response.headersSent && !response.writableEnded && problem.code !== 'client-closed';
    if (!isTold || (this.#dialect !== 'grpc' && !this.#bounds.isBetween))
      return renderProblem(exchange, problem);
    exchange.problem ??= problem;
    exchange.grpcStatus = grpcStatusName(grpcStatusOf(problem));
    this.#finish(grpcStatusFields(problem));
  }

  #finish(fields: string[]): void {
    const { response } = this.#exchange;
    if (this.#dialect === 'grpc') {
      if (!response.headersSent) return this.#only(fields);
      response.addTrailers(pairsOf(fields));
      response.end();
      return;
    }
    if (!response.headersSent && !this.open({})) return;
    const frame = trailersFrame(fields);
    this.#write(this.#dialect === 'webText' ? webText(frame) : frame);
    response.end();
  }

  #only(fields: string[]): void {
    const head = this.#head(fields);
    if (head !== undefined) writeTrailersOnly(this.#exchange.response, head);
  }

  #head(fields: readonly string[]): string[] | undefined {
    const head = { status: 200, headers: ['content-type', this.#type, ...fields] };
    try {
      this.#exchange.finishHead(head, 'answer');
      return head.headers;
    } catch (error) {
      const problem = toProblem(error);
      renderProblem(this.#exchange, problem);
      this.#exchange.cancel(problem);
      return undefined;
    }
  }

  #write(bytes: Buffer): boolean {
    this.#exchange.bytesOut += bytes.length;
    return this.#exchange.response.write(bytes);
  }

  // What a stage takes out of heads is not said after the messages either.
  #edited(fields: string[]): string[] {
    const stages = this.#route.heads.answers;
    if (stages.length === 0) return fields;
    const looked = { status: 200, headers: [...fields] };
    for (const stage of stages) stage.head?.(this.#exchange, looked);
    const left = new Set(looked.headers.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase()));
    return fields.filter((_, at) => {
      const name = fields[at - (at % 2)] as string;
      return left.has(name) || STATUS_FIELD.test(name);
    });
  }
}

/** Fields that travel on, flat. */
function listOf(fields: IncomingHttpHeaders): string[] {
  const list: string[] = [];
  for (const name in fields) {
    if (NOT_PASSED.test(name) || isHopByHop(name)) continue;
    for (const value of [fields[name] ?? []].flat()) list.push(name, value);
  }
  return list;
}

function pairsOf(fields: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < fields.length; i += 2) pairs.push([fields[i] as string, fields[i + 1] as string]);
  return pairs;
}

/** What comes after the messages, as a frame that browsers can read (PROTOCOL-WEB.md): lines of HTTP/1.1. */
function trailersFrame(fields: readonly string[]): Buffer {
  let text = '';
  for (let i = 0; i < fields.length; i += 2)
    text += `${fields[i]}: ${(fields[i + 1] as string).replace(/[\r\n]/g, ' ')}\r\n`;
  const frame = Buffer.alloc(PREFIX_BYTES + text.length);
  frame[0] = TRAILERS_FRAME;
  frame.writeUInt32BE(text.length, 1);
  frame.write(text, PREFIX_BYTES, 'latin1');
  return frame;
}
