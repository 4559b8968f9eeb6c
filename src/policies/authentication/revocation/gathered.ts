/**
 * Does something at once when it is asked for, and then at most once in so many ms: what is asked for meanwhile is done together. A
 * flood of news costs no more than a few of them.
 */
export class Gathered {
  readonly #everyMs: number;
  readonly #act: () => void;
  #timer: NodeJS.Timeout | undefined = undefined;
  #isWanted = false;

  /** @param act is called with nobody to tell if it throws. */
  constructor(everyMs: number, act: () => void) {
    this.#everyMs = everyMs;
    this.#act = act;
  }

  /** Has it done, now or within that time. */
  ask(): void {
    if (this.#timer === undefined) this.#begin();
    else this.#isWanted = true;
  }

  /** Has nothing done any more of what was asked for. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isWanted = false;
  }

  #begin(): void {
    this.#isWanted = false;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#isWanted) this.#begin();
    }, this.#everyMs).unref();
    this.#act();
  }
}
