/** Waits for something that may come before a time. */
export class Wake {
  #wake: (() => void) | undefined = undefined;

  /** Ends the wait, if there is one. */
  readonly now = (): void => this.#wake?.();

  /** Resolves after so many ms, when it is woken, or when the signal comes. One wait at a time. */
  wait(mostMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(end, mostMs).unref();
      signal.addEventListener('abort', end, { once: true });
      this.#wake = end;
    });
  }
}
