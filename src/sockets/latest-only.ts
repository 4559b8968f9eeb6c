/**
 * Writes one answer at a time, and of those that become due meanwhile only the latest: nobody who asks faster than he
 * listens has more than two answers waiting (RFC 6455 section 5.5.3).
 */
export class LatestOnly<Answer> {
  readonly #write: (answer: Answer, written: () => void) => void;
  #isWriting = false;
  #next: { readonly answer: Answer } | undefined = undefined;

  /** @param write calls back when the answer has left this process. */
  constructor(write: (answer: Answer, written: () => void) => void) {
    this.#write = write;
  }

  /** Writes an answer, now or when the one before is out. */
  offer(answer: Answer): void {
    if (this.#isWriting) return void (this.#next = { answer });
    this.#isWriting = true;
    this.#write(answer, this.#written);
  }

  readonly #written = (): void => {
    const next = this.#next;
    this.#next = undefined;
    this.#isWriting = false;
    if (next !== undefined) this.offer(next.answer);
  };
}
