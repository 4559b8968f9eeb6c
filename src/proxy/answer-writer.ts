import type { Duplex } from 'node:stream';
import type { AnswerSink, ForwardedHead } from '../exchange/answer-sink.ts';
import type { Answer, Exchange } from '../exchange/exchange.ts';
import { fieldOf } from '../exchange/field-list.ts';
import { STAND_IN_STATUS, standInOf } from '../exchange/stand-in.ts';
import type { ResponseHead } from '../policies/stage.ts';
import { Problem } from '../problems/problem.ts';
import { renderProblem, toProblem } from '../problems/render-problem.ts';
import type { Route } from '../routing/route.ts';
import { answerTrailers } from '../upstreams/http/trailers.ts';
import { writeEarlyHints, writeForwarded, writeStored } from './forwarded-answer.ts';
import { BufferedBody, type WholeAnswer } from './buffered-body.ts';
import { editedBytes } from './edited-bytes.ts';
import type { EventStream } from './event-stream.ts';
import { GOODBYE, type EventStreams } from './event-streams.ts';
import { takesTrailers } from './trailed.ts';

/**
 * Writes the answer of a proxied exchange to the client: runs the stages of the way out over its head, streams
 * the body through, and buffers it only for a stage that edits JSON.
 */
export class AnswerWriter implements AnswerSink {
  readonly #exchange: Exchange;
  readonly #route: Route;
  /** Whether the stages' edits of the body are already made by whoever writes it. */
  readonly #isEdited: boolean;
  readonly #streams: EventStreams | undefined;
  /** The events that the answer is a stream of. */
  #events: EventStream | undefined = undefined;
  #buffered: BufferedBody | undefined = undefined;
  #bytesLeft = -1;
  /** The names of the fields that come after the body. */
  #trailer: string | undefined = undefined;
  /** What edits the bytes of the body on their way out. */
  #stream: Duplex | undefined = undefined;
  /** Something else has been sent in place of the upstream's own answer: a stale one, or a problem. */
  #isCovered = false;

  /** @param streams follows answers that are streams of events; without it they are as any other. */
  constructor(exchange: Exchange, route: Route, streams?: EventStreams) {
    this.#exchange = exchange;
    this.#route = route;
    this.#streams = streams;
    // What was edited before it was stored need be no JSON, such as a stream of values.
    this.#isEdited = route.action.editsJson === true || exchange.isReplayed;
  }

  start(status: number, headers: string[]): void {
    const standIn = STAND_IN_STATUS.has(status) ? standInOf(this.#exchange, this.#route) : undefined;
    if (standIn !== undefined) return this.#coverWith(standIn);
    this.#exchange.outdates?.answered(this.#exchange, status, headers);
    const inPlace = this.#exchange.recording?.start(status, headers);
    if (inPlace === 'unfit') return this.#tooBadToMask();
    if (inPlace !== undefined) return this.#coverWith(inPlace);
    const head: ResponseHead = { status, headers };
    const buffered = this.#isEdited ? undefined : BufferedBody.of(this.#route, head);
    if (buffered === undefined) return void this.#writeHead(head);
    this.#buffered = buffered;
    if (!buffered.isReadable) this.#tooBadToMask();
  }

  begin(head: ForwardedHead): void {
    // What edits a head knows nothing of fields that come later: they would get past it.
    if (this.#route.heads.passRest) this.#trailer = head.trailer;
    this.start(head.status, head.fields());
  }

  flush(): void {
    const { response } = this.#exchange;
    // Unless it is held back, or something else was said in its place.
    if (!this.#isCovered && response.headersSent && !response.destroyed) response.flushHeaders();
  }

  whole(head: ForwardedHead, body: Buffer, isKept: boolean): void {
    // Who has a stand-in for an answer looks at it first.
    const isCoverable = this.#route.standIns.length > 0 && STAND_IN_STATUS.has(head.status);
    if (!isCoverable && writeForwarded(this.#exchange, this.#route, { head, body, isKept })) {
      const { outdates } = this.#exchange;
      return outdates?.answered(this.#exchange, head.status, head.fields());
    }
    const fields = head.fields();
    // What came in chunks goes out in one piece, whose length is known by now.
    if (head.length === undefined && body.length > 0) fields.push('content-length', String(body.length));
    this.start(head.status, fields);
    if (body.length > 0) this.data(isKept ? body : Buffer.from(body));
    this.end();
  }

  interim(head: ForwardedHead): void {
    if (this.#route.heads.passRest) writeEarlyHints(this.#exchange, head);
  }

  trailers(fields: readonly string[]): void {
    const { response } = this.#exchange;
    const passes = this.#buffered === undefined && this.#route.heads.passRest;
    if (!passes || this.#isCovered || !response.chunkedEncoding) return;
    const passing = answerTrailers(fields);
    this.#exchange.keeper?.trailers(passing.flat());
    response.addTrailers(passing);
  }

  data(chunk: Buffer): boolean {
    if (this.#isCovered) return true;
    this.#exchange.recording?.data(chunk);
    return this.#buffered === undefined ? this.#write(chunk) : this.#hold(chunk, this.#buffered);
  }

  #write(chunk: Buffer): boolean {
    return this.#events === undefined ? this.#send(chunk) : this.#events.take(chunk);
  }

  // What the service still says goes nowhere: its client asks for it again, wherever it comes back.
  #endEvents(): void {
    const { response } = this.#exchange;
    if (this.#isCovered || response.writableEnded || response.destroyed) return;
    this.#exchange.recording?.abandon();
    this.#send(GOODBYE);
    (this.#stream ?? response).end();
    this.#isCovered = true;
    this.#exchange.cancel(new Problem('shutting-down'));
  }

  #send(chunk: Buffer): boolean {
    if (this.#stream !== undefined) return this.#stream.write(chunk);
    const { response } = this.#exchange;
    this.#bytesLeft -= chunk.length;
    this.#exchange.bytesOut += chunk.length;
    // The last piece of a known length ends the answer in the same write; who has left holds up nobody who waits for it.
    if (this.#bytesLeft !== 0) return response.write(chunk) || response.destroyed;
    response.end(chunk);
    return true;
  }

  end(): void {
    if (this.#isCovered) return;
    const buffered = this.#buffered;
    // What is coded takes a while, in which somebody else may have answered.
    const isAwaited = (): boolean => this.#buffered === buffered && !this.#exchange.response.headersSent;
    if (buffered !== undefined)
      return buffered.finish(this.#exchange, (answer) => isAwaited() && this.#finished(answer));
    this.#exchange.recording?.end();
    if (this.#bytesLeft !== 0) (this.#stream ?? this.#exchange.response).end();
  }

  #finished(answer: WholeAnswer | Problem): void {
    const { cancelled } = this.#exchange;
    if (answer instanceof Problem || cancelled !== undefined) {
      const problem = cancelled ?? (answer as Problem);
      // Nothing stands in for what already did.
      return this.#isCovered ? renderProblem(this.#exchange, problem) : this.fail(problem);
    }
    try {
      const { head, body } = answer;
      // Not before: an answer that cannot be masked would be stored, and refused again from the store.
      this.#exchange.recording?.end();
      if (!this.#writeHead(head)) return;
      if (this.#stream === undefined) this.#exchange.bytesOut = body.length;
      (this.#stream ?? this.#exchange.response).end(body);
    } catch (error) {
      this.fail(error instanceof Problem ? error : new Problem('internal', { cause: error }));
    }
  }

  fail(problem: Problem): void {
    if (this.#isCovered) return;
    const { response } = this.#exchange;
    // An upstream in trouble may be covered by a stale answer; a refusal of ours never is.
    const standIn =
      problem.status >= 500 && !response.headersSent ? standInOf(this.#exchange, this.#route) : undefined;
    if (standIn !== undefined) return this.replay(standIn);
    this.#exchange.recording?.abandon();
    renderProblem(this.#exchange, problem);
  }

  onDrain(resume: () => void, idleMs: number): void {
    const { response } = this.#exchange;
    if (this.#stream?.writableNeedDrain === true) this.#stream.once('drain', resume);
    else response.once('drain', resume);
    // Whoever takes nothing of an answer would hold a connection to the target for good.
    response.socket?.setTimeout(idleMs);
  }

  /** Answers with what a stage has, such as a stored answer. */
  replay(answer: Answer): void {
    this.#exchange.recording?.abandon();
    this.#exchange.recording = undefined;
    this.#buffered = undefined;
    if (writeStored(this.#exchange, this.#route, answer)) return;
    const { status, headers, body, trailers } = answer;
    this.#trailer = trailers?.filter((_, i) => i % 2 === 0).join(', ');
    this.start(status, [...headers]);
    if (this.#exchange.method !== 'HEAD') this.data(body);
    if (trailers !== undefined) this.trailers(trailers);
    this.end();
  }

  // What the upstream still sends is read to its end and dropped, so that its connection stays of use.
  #coverWith(answer: Answer): void {
    this.replay(answer);
    this.#isCovered = true;
  }

  #hold(chunk: Buffer, buffered: BufferedBody): boolean {
    let released = buffered.release(chunk);
    if (released === undefined) {
      if (buffered.push(chunk)) return true;
      if (!buffered.passes) {
        this.#tooBadToMask();
        return true;
      }
      released = buffered.letGo(chunk);
    }
    this.#buffered = undefined;
    return this.#writeHead(released.head) ? this.#write(released.body) : true;
  }

  // Fail closed: a body that cannot be masked is not sent at all.
  #tooBadToMask(): void {
    const problem = new Problem('upstream-response-invalid');
    this.fail(problem);
    // Also where all of it is there already, and nobody is left who could be told to stop.
    this.#isCovered = true;
    this.#exchange.cancel(problem);
  }

  // False: a problem was sent in its place.
  #writeHead(head: ResponseHead): boolean {
    const length = fieldOf(head.headers, 'content-length');
    this.#bytesLeft = length === undefined || this.#exchange.method === 'HEAD' ? -1 : Number(length);
    if (this.#bytesLeft === 0) this.#bytesLeft = -1;
    if (this.#trailer !== undefined && length === undefined && takesTrailers(this.#exchange, head))
      head.headers.push('trailer', this.#trailer);
    const isEvents = length === undefined && this.#exchange.method !== 'HEAD' && this.#streams?.isOne(head);
    try {
      this.#exchange.finishHead(head, 'answer');
    } catch (error) {
      // Nothing stands in for it: the stage that failed would edit that head, too.
      const problem = toProblem(error);
      this.#isCovered = true;
      renderProblem(this.#exchange, problem);
      this.#exchange.cancel(problem);
      return false;
    }
    if (this.#route.streams.length > 0) this.#stream = editedBytes(this.#exchange, head);
    if (this.#stream !== undefined) this.#bytesLeft = -1;
    this.#exchange.response.writeHead(head.status, head.headers);
    if (isEvents === true)
      this.#events = this.#streams?.follow(this.#exchange, {
        send: (bytes) => this.#send(bytes),
        end: () => this.#endEvents(),
      });
    return true;
  }
}
