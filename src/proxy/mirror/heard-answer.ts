import type { AnswerSink, ForwardedHead } from '../../exchange/answer-sink.ts';
import { Pieces } from '../../exchange/pieces.ts';
import type { Problem } from '../../problems/problem.ts';

/** What is kept of an answer to be compared with another one. */
export class HeardAnswer {
  status = 0;
  /** Lines of `Content-Type`. */
  readonly types: string[] = [];
  /** Lines of `Content-Encoding`. */
  readonly codings: string[] = [];
  isTooLarge = false;
  readonly #pieces = new Pieces();
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes the head; names and values, flat. */
  begin(status: number, fields: readonly string[]): void {
    this.status = status;
    for (let i = 0; i < fields.length; i += 2) {
      const name = (fields[i] as string).toLowerCase();
      if (name === 'content-type') this.types.push(fields[i + 1] as string);
      else if (name === 'content-encoding') this.codings.push(fields[i + 1] as string);
    }
  }

  /** Takes a piece of the body, and copies it; nothing is kept of a body that is too large. */
  data(piece: Buffer): void {
    if (this.isTooLarge) return;
    if (this.#pieces.length + piece.length <= this.#maxBytes) return this.#pieces.push(piece);
    this.isTooLarge = true;
    this.#pieces.take();
  }

  /** The whole body; to be taken once. */
  body(): Buffer {
    return this.#pieces.take();
  }
}

/** Hands an answer on as it comes, and keeps a copy. */
export class HearingSink implements AnswerSink {
  readonly #sink: AnswerSink;
  readonly #answer: HeardAnswer;
  readonly #done: (isWhole: boolean) => void;

  /** @param done hears once that the answer is complete, or that it will not be. */
  constructor(sink: AnswerSink, answer: HeardAnswer, done: (isWhole: boolean) => void) {
    this.#sink = sink;
    this.#answer = answer;
    this.#done = done;
  }

  start(status: number, headers: string[]): void {
    // Stages edit the list.
    this.#answer.begin(status, headers);
    this.#sink.start(status, headers);
  }

  begin(head: ForwardedHead): void {
    this.#answer.begin(head.status, head.fields());
    this.#sink.begin(head);
  }

  flush(): void {
    this.#sink.flush();
  }

  whole(head: ForwardedHead, body: Buffer, isKept: boolean): void {
    this.#answer.begin(head.status, head.fields());
    this.#answer.data(body);
    this.#sink.whole(head, body, isKept);
    this.#done(true);
  }

  interim(head: ForwardedHead): void {
    this.#sink.interim(head);
  }

  data(chunk: Buffer): boolean {
    this.#answer.data(chunk);
    return this.#sink.data(chunk);
  }

  trailers(fields: readonly string[]): void {
    this.#sink.trailers(fields);
  }

  end(): void {
    this.#sink.end();
    this.#done(true);
  }

  fail(problem: Problem): void {
    this.#sink.fail(problem);
    this.#done(false);
  }

  onDrain(resume: () => void, idleMs: number): void {
    this.#sink.onDrain(resume, idleMs);
  }
}
