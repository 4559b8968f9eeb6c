import { BoundedBody } from '../../exchange/bounded-body.ts';
import type { StoredAnswer } from '../../exchange/exchange.ts';

/** Collects an answer while it streams to the client, up to a size; gives up silently beyond it. */
export class Recording {
  readonly #onComplete: (answer: StoredAnswer) => void;
  #status = 0;
  #headers: readonly string[] = [];
  #body: BoundedBody | undefined;

  /** @param onComplete called once, only for an answer that arrived whole and fits. */
  constructor(maxBytes: number, onComplete: (answer: StoredAnswer) => void) {
    this.#body = new BoundedBody(maxBytes);
    this.#onComplete = onComplete;
  }

  /** Takes the head, before any stage of the way out has added what belongs to this exchange only. */
  start(status: number, headers: readonly string[]): void {
    this.#status = status;
    this.#headers = [...headers];
  }

  /** Takes a piece of the body. */
  data(chunk: Buffer): void {
    if (this.#body?.counts(chunk.length) === true) this.#body.keep(chunk);
    else this.#body = undefined;
  }

  /** Takes the end of the body. */
  end(): void {
    if (this.#body === undefined) return;
    this.#onComplete({ status: this.#status, headers: this.#headers, body: this.#body.whole() });
  }
}
