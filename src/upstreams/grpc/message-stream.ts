import type { Metadata } from '@grpc/grpc-js';
import { Problem } from '../../problems/problem.ts';
import { toProblem } from '../../problems/render-problem.ts';
import type { StreamTaker } from './stream-run.ts';

/** How many messages may wait for whoever asks for them; the target is held back from there on. */
const MOST_WAITING = 16;

/** What a {@link MessageStream} runs on. */
export interface StreamHandle {
  run(): void;
  leave(reason: Problem): void;
}

/** How the messages of a stream are read. */
export interface MessageStreamOptions<Message> {
  /** @throws {Problem} or anything else for bytes that are not the message. */
  readonly decode: (bytes: Buffer) => Message;
  /** Makes the call whose answer the taker gets. */
  readonly call: (taker: StreamTaker) => StreamHandle;
}

/**
 * The messages of a server stream, one for each turn of a `for await`. The call is made when the first one is asked
 * for, and cancelled when nobody asks any more. Whoever asks slowly slows the target down: a few messages wait
 * here, the others stay there. Ends with the stream; what ends it otherwise is thrown once, as a problem, after the
 * messages that came before it.
 */
export class MessageStream<Message> implements AsyncIterableIterator<Message, undefined>, StreamTaker {
  readonly options: MessageStreamOptions<Message>;
  readonly #waiting: Message[] = [];
  #handle: StreamHandle | undefined = undefined;
  #wanted: PromiseWithResolvers<IteratorResult<Message, undefined>> | undefined = undefined;
  #resume: (() => void) | undefined = undefined;
  #fault: Problem | undefined = undefined;
  #ended = false;

  constructor(options: MessageStreamOptions<Message>) {
    this.options = options;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next message. Not to be called again before the last one is there. */
  next(): Promise<IteratorResult<Message, undefined>> {
    const message = this.#waiting.shift();
    if (message !== undefined) {
      if (this.#waiting.length === 0) this.#drain();
      return Promise.resolve({ done: false, value: message });
    }
    if (this.#fault !== undefined) {
      const fault = this.#fault;
      this.#fault = undefined;
      return Promise.reject(fault);
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    this.#wanted = Promise.withResolvers();
    // What is wrong with the input ends it before `start` returns.
    const { promise } = this.#wanted;
    if (this.#handle === undefined) this.#start();
    return promise;
  }

  /** Leaves: the call is cancelled, and whoever still waits for a message hears that there is none. */
  return(): Promise<IteratorResult<Message, undefined>> {
    const wasEnded = this.#ended;
    this.#ended = true;
    this.#fault = undefined;
    this.#waiting.length = 0;
    if (!wasEnded) this.#handle?.leave(new Problem('client-closed'));
    this.#tellEnd();
    return Promise.resolve({ done: true, value: undefined });
  }

  open(): boolean {
    return !this.#ended;
  }

  message(bytes: Buffer): boolean {
    if (this.#ended) return true;
    let message: Message;
    try {
      message = this.options.decode(bytes);
    } catch (error) {
      this.#refuse(error);
      return true;
    }
    const wanted = this.#wanted;
    this.#wanted = undefined;
    if (wanted === undefined) return this.#waiting.push(message) < MOST_WAITING;
    wanted.resolve({ done: false, value: message });
    return true;
  }

  end(_trailers?: Metadata): void {
    this.#ended = true;
    this.#tellEnd();
  }

  fail(problem: Problem): void {
    if (this.#ended) return;
    this.#ended = true;
    const wanted = this.#wanted;
    this.#wanted = undefined;
    if (wanted === undefined) this.#fault = problem;
    else wanted.reject(problem);
  }

  onDrain(resume: () => void): void {
    this.#resume = resume;
  }

  #start(): void {
    try {
      this.#handle = this.options.call(this);
      this.#handle.run();
    } catch (error) {
      this.fail(toProblem(error));
    }
  }

  #drain(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  #refuse(error: unknown): void {
    const problem =
      error instanceof Problem ? error : new Problem('upstream-response-invalid', { cause: error });
    this.fail(problem);
    this.#handle?.leave(problem);
  }

  #tellEnd(): void {
    const wanted = this.#wanted;
    this.#wanted = undefined;
    wanted?.resolve({ done: true, value: undefined });
  }
}
