import type { IncomingHttpHeaders } from 'node:http';
import type { Exchange } from '../../exchange/exchange.ts';
import type { GrpcDialect } from '../../problems/grpc-refusal.ts';
import { Problem } from '../../problems/problem.ts';
import { toProblem } from '../../problems/render-problem.ts';
import type { Route } from '../../routing/route.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { MessageBounds } from '../../upstreams/grpc/message-bounds.ts';
import { GrpcPassing, type PassedCall, type PassTaker } from '../../upstreams/grpc/passing.ts';
import type { Upstream } from '../../upstreams/upstream.ts';
import type { PassGrpcOptions } from './pass-grpc.source.ts';
import { PassedAnswer } from './passed-answer.ts';
import { passedCall } from './passed-request.ts';
import { WebTextReader } from './web-text.ts';

/** What passes calls of one route on. */
export interface PassingDeps {
  readonly upstream: Upstream;
  readonly metrics: Metrics;
  readonly options: PassGrpcOptions;
}

/** What goes out for a call of a route. @throws {Problem} as {@link passedCall}. */
export function callOf(
  exchange: Exchange,
  dialect: GrpcDialect,
  { upstream, options: { stripPrefix } }: PassingDeps,
): PassedCall {
  return passedCall(exchange, dialect, { stripPrefix, upstream });
}

/** One call on its way: reads what the client says, and writes what the target answers. */
export class PassedExchange implements PassTaker {
  readonly #exchange: Exchange;
  readonly #deps: PassingDeps;
  readonly #answer: PassedAnswer;
  readonly #passing: GrpcPassing;
  readonly #text: WebTextReader | undefined;
  readonly #bounds: MessageBounds;
  readonly #maxBytes: number;
  #bytes = 0;
  #hasAnswered = false;

  /** @throws {Problem} when the call makes no sense; nothing was sent then. */
  constructor(exchange: Exchange, route: Route, dialect: GrpcDialect, deps: PassingDeps) {
    const { upstream, metrics, options } = deps;
    this.#exchange = exchange;
    this.#deps = deps;
    this.#answer = new PassedAnswer(exchange, route, dialect);
    this.#text = dialect === 'webText' ? new WebTextReader() : undefined;
    this.#bounds = new MessageBounds(options.maxMessage);
    this.#maxBytes = route.policies.bodyLimit ?? Infinity;
    const call = callOf(exchange, dialect, deps);
    this.#passing = new GrpcPassing(exchange, upstream, call, { taker: this, metrics });
  }

  /** Whether it has answered messages, and all of them as a whole: it can be ended without harm. */
  get isBetweenMessages(): boolean {
    return this.#hasAnswered && this.#answer.isBetween;
  }

  /** Makes the call. */
  start(): void {
    const { request } = this.#exchange;
    this.#passing.start();
    request.on('data', (chunk: Buffer) => this.#said(chunk)).once('end', () => this.#saidAll());
  }

  open(fields: IncomingHttpHeaders): boolean {
    return this.#answer.open(fields);
  }

  data(piece: Buffer): boolean {
    this.#hasAnswered = true;
    return this.#answer.data(piece);
  }

  end(trailers: IncomingHttpHeaders, head: IncomingHttpHeaders | undefined): void {
    this.#answer.end(trailers, head);
  }

  fail(problem: Problem): void {
    this.#answer.fail(problem);
  }

  onDrain(resume: () => void): void {
    const { response } = this.#exchange;
    response.once('drain', resume);
    // Whoever takes nothing of an answer would hold a stream to the target for good.
    response.socket?.setTimeout(this.#deps.upstream.options.timeouts.idle);
  }

  hasRoom(): void {
    if (this.#exchange.request.isPaused()) this.#exchange.request.resume();
  }

  #said(chunk: Buffer): void {
    if (this.#exchange.cancelled !== undefined) return;
    try {
      const piece = this.#text === undefined ? chunk : this.#text.take(chunk);
      this.#bytes += piece.length;
      if (this.#bytes > this.#maxBytes) throw new Problem('body-too-large');
      if (!this.#bounds.take(piece))
        throw new Problem('body-too-large', {
          detail: `A message exceeds ${this.#deps.options.maxMessage} bytes.`,
        });
      if (!this.#passing.push(piece)) this.#exchange.request.pause();
    } catch (error) {
      this.#exchange.cancel(toProblem(error));
    }
  }

  #saidAll(): void {
    try {
      this.#text?.finish();
      if (!this.#bounds.isBetween)
        throw new Problem('request-malformed', { detail: 'The last message is not complete.' });
      this.#passing.finish();
    } catch (error) {
      this.#exchange.cancel(toProblem(error));
    }
  }
}
