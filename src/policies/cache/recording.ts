import { Pieces } from '../../exchange/pieces.ts';
import type { Answer } from '../../exchange/exchange.ts';

/** Collects an answer while it streams to the client, up to a size; gives up silently beyond it. */
export class Recording {
  readonly #maxBytes: number;
  readonly #onComplete: (answer: Answer) => void;
  #status = 0;
  #headers: readonly string[] = [];
  #pieces: Pieces | undefined = new Pieces();

  /** @param onComplete called once, only for an answer that arrived whole and fits. */
  constructor(maxBytes: number, onComplete: (answer: Answer) => void) {
    this.#maxBytes = maxBytes;
    this.#onComplete = onComplete;
  }

  /** Takes the head, before any stage of the way out has added what belongs to this exchange only. */
  start(status: number, headers: readonly string[]): void {
    this.#status = status;
    this.#headers = [...headers];
  }

  /** Takes a piece of the body. */
  data(chunk: Buffer): void {
    if (this.#pieces === undefined) return;
    if (this.#pieces.length + chunk.length > this.#maxBytes) this.#pieces = undefined;
    else this.#pieces.push(chunk);
  }

  /** Takes the end of the body. */
  end(): void {
    if (this.#pieces === undefined) return;
    // A copy, because it is kept, and the pieces may lie in more room than they need.
    const body = Buffer.from(this.#pieces.take());
    this.#onComplete({ status: this.#status, headers: this.#headers, body });
  }
}
