/** What keeps an eye on a connection may do with it. */
export interface Watched {
  readonly isBusy: boolean;
  ping(): void;
  /** Ends it because nobody has used it for long. */
  retire(): void;
  /** Ends it because the other side is not there any more. */
  lost(why: string): void;
}

/**
 * Tells dead connections from quiet ones: one with calls under way is asked for a sign of life, one without is closed
 * before long, because servers of gRPC close connections that are pinged while they are idle.
 */
export class KeepAlive {
  readonly #watched: Watched;
  readonly #answerMs: number;
  readonly #timer: NodeJS.Timeout;
  #missing: NodeJS.Timeout | undefined = undefined;
  #wasIdle = false;

  /**
   * @param everyMs how long a connection may be silent before it is asked.
   * @param answerMs how long the answer may take.
   */
  constructor(watched: Watched, everyMs: number, answerMs: number) {
    this.#watched = watched;
    this.#answerMs = answerMs;
    this.#timer = setInterval(() => this.#look(), everyMs).unref();
  }

  /** The other side has answered. */
  answered(): void {
    clearTimeout(this.#missing);
    this.#missing = undefined;
  }

  /** Looks no more. */
  stop(): void {
    clearInterval(this.#timer);
    this.answered();
  }

  #look(): void {
    if (this.#watched.isBusy) {
      this.#wasIdle = false;
      if (this.#missing !== undefined) return;
      const missing = (): void => this.#watched.lost(`no answer to a ping within ${this.#answerMs} ms`);
      this.#missing = setTimeout(missing, this.#answerMs).unref();
      this.#watched.ping();
    } else if (this.#wasIdle) this.#watched.retire();
    else this.#wasIdle = true;
  }
}
