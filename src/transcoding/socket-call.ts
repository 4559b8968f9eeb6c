import { editIncoming } from '../policies/transform/incoming-body.ts';
import type { Metadata } from '@grpc/grpc-js';
import type { WebSocket } from 'ws';
import { CloseCode, type LiveSocket } from '../sockets/live-socket.ts';
import { Problem, problemBody } from '../problems/problem.ts';
import { toProblem } from '../problems/render-problem.ts';
import type { ByteCall, StreamSource, StreamTaker } from '../upstreams/grpc/stream-run.ts';
import type { Translation } from './translation.ts';

/** What one call over a socket is made of. */
export interface SocketCallOptions extends Omit<Translation, 'sink'> {
  readonly live: LiveSocket;
  /** The whole request, when the handshake says it. */
  readonly message: Buffer | undefined;
}

/**
 * One call whose client speaks over a WebSocket. Text frames are messages in JSON, both ways; an empty one ends the
 * client's side. The end of the call closes the socket: 1000 after OK, else 4000 and the HTTP status of the problem,
 * which comes before it as the one binary frame.
 */
export class SocketCall implements StreamSource, StreamTaker {
  readonly options: SocketCallOptions;
  readonly #socket: WebSocket;
  /** Whether the client says one message at most. */
  readonly #asksOnce: boolean;
  readonly #answersOnce: boolean;
  #call: ByteCall | undefined = undefined;
  #sent: () => void = ignore;
  /** What was said while there was no call for it, because its target was still waited for. */
  readonly #early: Buffer[] = [];
  #isStopped = false;
  #received = 0;
  #answered = 0;
  #saidAll: boolean;
  #over = false;

  constructor(options: SocketCallOptions) {
    const { methodKind } = options.binding.method;
    this.options = options;
    this.#socket = options.live.socket;
    this.#asksOnce = methodKind === 'server_streaming';
    this.#answersOnce = methodKind === 'client_streaming';
    this.#saidAll = options.message !== undefined;
    this.#socket.on('message', this.#read);
  }

  /** Until the client has said something, all of it can be said again to another target. */
  get replayable(): boolean {
    return this.#received === 0;
  }

  send(call: ByteCall, sent: () => void): void {
    this.#call = call;
    this.#sent = sent;
    const { message } = this.options;
    if (message !== undefined) call.write(message);
    for (const one of this.#early.splice(0)) call.write(one);
    this.options.live.flow.release('target');
    if (this.#saidAll) this.#endCall();
  }

  rest(): void {
    this.#call = undefined;
  }

  stop(): void {
    this.#call = undefined;
    this.#isStopped = true;
    // Its close frame is still to be read.
    this.options.live.flow.release('target');
  }

  open(): boolean {
    return !this.#over;
  }

  message(bytes: Buffer): boolean {
    const { binding, edit, exchange, live } = this.options;
    let text: Buffer;
    try {
      const json = binding.answer.toJson(bytes);
      text = Buffer.from(JSON.stringify(edit === undefined ? json : edit(json)));
    } catch (error) {
      exchange.cancel(new Problem('upstream-response-invalid', { cause: error }));
      return true;
    }
    this.#answered += 1;
    live.rest();
    return this.#write(text, false);
  }

  end(_trailers: Metadata | undefined): void {
    if (this.#answersOnce && this.#answered !== 1) return this.fail(new Problem('upstream-response-invalid'));
    this.#over = true;
    this.#socket.close(CloseCode.normal);
  }

  fail(problem: Problem): void {
    if (this.#over) return;
    this.#over = true;
    if (problem.code === 'client-closed') return;
    const { exchange } = this.options;
    exchange.problem ??= problem;
    if (problem.code === 'shutting-down') return this.#socket.close(CloseCode.goingAway, problem.code);
    this.#write(Buffer.from(JSON.stringify(problemBody(problem, exchange.id))), true);
    this.#socket.close(CloseCode.ofStatus(problem.status), problem.code);
  }

  onDrain(resume: () => void): void {
    this.options.live.flow.onRoom(resume);
  }

  readonly #read = (frame: Buffer, isBinary: boolean): void => {
    if (this.#over) return;
    this.options.live.rest();
    if (isBinary) return this.#leave(CloseCode.unsupported, 'Messages are text frames');
    if (frame.length === 0) return this.#end();
    if (this.#saidAll)
      return this.#refuse(new Problem('request-invalid', { detail: 'All was said before this frame.' }));
    try {
      const { binding, exchange, incoming, lines = [] } = this.options;
      for (const stage of lines) stage.line?.(exchange, frame);
      const said = incoming === undefined ? frame : editIncoming(exchange, frame, incoming);
      this.#take(binding.frames.encode(exchange, said));
    } catch (error) {
      this.#refuse(toProblem(error));
    }
  };

  #take(message: Buffer): void {
    if (this.#isStopped) return;
    const call = this.#call;
    const { flow } = this.options.live;
    this.#received += 1;
    // Nothing more is read until there is a target: what was said waits in the connection.
    if (call === undefined) flow.hold('target');
    const isTaken = call === undefined ? this.#early.push(message) > 0 : call.write(message);
    if (this.#asksOnce) return this.#end();
    if (isTaken || flow.isHeld('target')) return;
    flow.hold('target');
    call?.once('drain', () => flow.release('target'));
  }

  #end(): void {
    if (this.#saidAll) return;
    // The one message of such a call cannot be left out.
    if (this.#asksOnce && this.#received === 0)
      return this.#refuse(new Problem('request-invalid', { detail: 'Expected one message.' }));
    this.#saidAll = true;
    this.#endCall();
  }

  #endCall(): void {
    this.#call?.end();
    if (this.#call !== undefined) this.#sent();
  }

  #refuse(problem: Problem): void {
    const detail = problem.detail ?? `Message ${this.#received + 1} is not valid.`;
    const { code, cause, extensions } = problem;
    this.options.exchange.cancel(
      code === 'internal' ? problem : new Problem(code, { cause, detail, ...(extensions && { extensions }) }),
    );
  }

  #leave(code: number, reason: string): void {
    this.#over = true;
    this.options.exchange.cancel(new Problem('client-closed'));
    this.#socket.close(code, reason);
  }

  #write(bytes: Buffer, binary: boolean): boolean {
    this.options.exchange.bytesOut += bytes.length;
    return this.options.live.flow.send(bytes, binary);
  }
}

function ignore(): void {}
