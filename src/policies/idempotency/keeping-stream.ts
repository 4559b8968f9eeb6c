import { Transform, type TransformCallback } from 'node:stream';
import type { AnswerKeeper } from '../../exchange/answer-keeper.ts';

/**
 * Passes an answer on, but for its end, which waits until the answer is kept: the piece that completes a known length, or
 * what follows the last one.
 */
export class KeepingStream extends Transform {
  readonly #keeper: AnswerKeeper;
  #left: number;
  #held: Buffer | undefined = undefined;

  /** @param length of the answer, if it says so. */
  constructor(keeper: AnswerKeeper, length = Infinity) {
    super();
    this.#keeper = keeper;
    this.#left = length;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#keeper.piece(chunk);
    this.#left -= chunk.length;
    if (this.#left > 0) return done(null, chunk);
    this.#held = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    done();
  }

  override _flush(done: TransformCallback): void {
    const kept = this.#keeper.ended();
    if (kept === undefined) return done(null, this.#held);
    void kept.then(() => done(null, this.#held));
  }
}
