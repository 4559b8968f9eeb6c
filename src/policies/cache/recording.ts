import { Pieces } from '../../exchange/pieces.ts';
import type { Answer } from '../../exchange/exchange.ts';
import type { Problem } from '../../problems/problem.ts';

/**
 * What is to become of an answer: it is kept; it is not; it is no answer to what was asked; or another one is sent in its
 * place, such as a stored one that it says still holds.
 */
export type Fate = 'keep' | 'pass' | 'unfit' | Answer;

/** Who wants to keep an answer. */
export interface Recorder {
  /** Hears the head, once, and says what is to become of the answer. */
  began(status: number, headers: readonly string[]): Fate;
  /** What `Cache-Status` says of the answer, which is not the recorded one's to say later. */
  told(status: number, isKept: boolean): string;
  /** Hears of an answer that was to be kept and has come whole. */
  completed(answer: Answer): void;
  /** Hears that there is nothing to keep: too large, broken off, never come, or something else was sent. */
  gaveUp(isTooLarge: boolean): void;
  /** Whether the answer is waited for by others, so that the request goes on without its client. @param end called once it is over. */
  outlives(end: () => void): boolean;
}

/** Collects an answer while it streams to the client, up to a size; gives up silently beyond it. */
export class Recording {
  readonly #maxBytes: number;
  readonly #recorder: Recorder;
  #status = 0;
  #headers: readonly string[] = [];
  #pieces: Pieces | undefined = undefined;
  #isOver = false;
  /**
   * Where the fields begin that a handler has added to those of its exchange, and whether it was called: what is thrown before
   * is none of its answers. Undefined at door 1.
   */
  handledFrom: number | undefined = undefined;
  /** Whether something stale may be given in place of what fails; not where nobody is answered. */
  mayBeCovered = true;
  /** Takes a problem that is about to be answered, and tells whether it was answered by something else. Absent at door 1. */
  covers: ((problem: Problem) => boolean) | undefined = undefined;

  constructor(maxBytes: number, recorder: Recorder) {
    this.#maxBytes = maxBytes;
    this.#recorder = recorder;
  }

  /**
   * Takes the head, before any stage of the way out has added what belongs to this exchange only, and adds what the cache
   * did, which does not belong to others either.
   *
   * @returns what is to be sent in its place; undefined for nothing. `unfit`: the upstream has answered something else.
   */
  start(status: number, headers: string[]): Answer | 'unfit' | undefined {
    if (this.#isOver) return undefined;
    this.#status = status;
    this.#headers = [...headers];
    const fate = this.#recorder.began(status, this.#headers);
    if (fate === 'keep') this.#pieces = new Pieces();
    else this.#isOver = true;
    if (typeof fate !== 'string' || fate === 'unfit') return fate;
    headers.push('cache-status', this.#recorder.told(status, fate === 'keep'));
    return undefined;
  }

  /** Whether what comes next is to be kept. */
  get isKeeping(): boolean {
    return this.#pieces !== undefined;
  }

  /** The size of the largest body that it keeps. */
  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** Takes note of an answer that is nothing to be kept, whatever it says of itself. */
  refuse(): void {
    if (!this.#isOver) this.#giveUp(true);
  }

  /** Takes a piece of the body. */
  data(chunk: Buffer): void {
    if (this.#pieces === undefined) return;
    if (this.#pieces.length + chunk.length > this.#maxBytes) this.#giveUp(true);
    else this.#pieces.push(chunk);
  }

  /** Takes the end of the body. */
  end(): void {
    if (this.#pieces === undefined || this.#isOver) return;
    // A copy, because it is kept, and the pieces may lie in more room than they need.
    const body = Buffer.from(this.#pieces.take());
    this.#pieces = undefined;
    this.#isOver = true;
    this.#recorder.completed({ status: this.#status, headers: this.#headers, body });
  }

  /** Whether its client has left, and the exchange is to go on all the same. @param end called once it is over, if it goes on. */
  outlives(end: () => void): boolean {
    return !this.#isOver && this.#recorder.outlives(end);
  }

  /** Takes note that no more comes. */
  abandon(): void {
    if (!this.#isOver) this.#giveUp(false);
  }

  #giveUp(isTooLarge: boolean): void {
    this.#pieces = undefined;
    this.#isOver = true;
    this.#recorder.gaveUp(isTooLarge);
  }
}
