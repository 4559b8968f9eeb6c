import type { StoredAnswer } from '../../exchange/exchange.ts';

/** Collects an answer while it streams to the client, up to a size; gives up silently beyond it. */
export class Recording {
  readonly #maxBytes: number;
  readonly #onComplete: (answer: StoredAnswer) => void;
  #status = 0;
  #headers: readonly string[] = [];
  #chunks: Buffer[] | undefined = [];
  #bytes = 0;

  /** @param onComplete called once, only for an answer that arrived whole and fits. */
  constructor(maxBytes: number, onComplete: (answer: StoredAnswer) => void) {
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
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) this.#chunks = undefined;
    else this.#chunks?.push(Buffer.from(chunk));
  }

  /** Takes the end of the body. */
  end(): void {
    if (this.#chunks === undefined) return;
    this.#onComplete({ status: this.#status, headers: this.#headers, body: Buffer.concat(this.#chunks) });
  }
}
