import type { Readable } from 'node:stream';
import { BodyReader } from '../../exchange/body-reader.ts';
import { Problem } from '../../problems/problem.ts';

/** Counts a body while it streams, and breaks it off over the limit. */
export function countingBody(
  body: Readable,
  maxBytes: number,
  onExceeded: (problem: Problem) => void,
): Readable {
  return new CountingBody(body, maxBytes, onExceeded);
}

class CountingBody extends BodyReader {
  readonly #maxBytes: number;
  readonly #onExceeded: (problem: Problem) => void;
  #seen = 0;

  constructor(body: Readable, maxBytes: number, onExceeded: (problem: Problem) => void) {
    super(body);
    this.#maxBytes = maxBytes;
    this.#onExceeded = onExceeded;
  }

  protected override taken(chunk: Buffer): void {
    this.#seen += chunk.length;
    if (this.#seen <= this.#maxBytes) return this.hand(chunk);
    const problem = new Problem('body-too-large');
    this.#onExceeded(problem);
    this.destroy(problem);
  }

  protected override finish(): void {}
}
