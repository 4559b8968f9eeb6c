/** The requests of this process whose clients have left, and that are waited for. */
export class AloneRuns {
  readonly #most: number;
  #count = 0;

  /** @param most of them at once: each may hold a connection to a service. */
  constructor(most = 1000) {
    this.#most = most;
  }

  /** Whether there is room for one more, which has it then. */
  enter(): boolean {
    if (this.#count >= this.#most) return false;
    this.#count += 1;
    return true;
  }

  /** Makes room. */
  leave(): void {
    this.#count -= 1;
  }
}
