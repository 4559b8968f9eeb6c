/**
 * Turns of those who want a configuration in force: one after the other, in the order in which they asked. Whoever asks for what
 * somebody else waits for has it with them; who wants anything else, or is somebody else, has a turn of their own.
 */
export class ReloadTurns {
  readonly #waiting = new Map<string, Promise<unknown>>();
  #last: Promise<unknown> = Promise.resolve();

  /** Acts once all those before it have ended, whatever became of them. */
  take<Result>(act: () => Promise<Result>): Promise<Result> {
    const run = this.#last.then(act);
    this.#last = run.catch(() => undefined);
    return run;
  }

  /** The same, once for all who ask for it before it begins. @param what names it; the same name has to be the same act. */
  share<Result>(what: string, act: () => Promise<Result>): Promise<Result> {
    const waiting = this.#waiting.get(what);
    if (waiting !== undefined) return waiting as Promise<Result>;
    const run = this.take(() => {
      this.#waiting.delete(what);
      return act();
    });
    this.#waiting.set(what, run);
    return run;
  }
}

/** What a reload of the file is shared by: an order of one operator is no other's, and no change that the watch has found. */
export function sharedBy(trigger: string, by = ''): string {
  return `${trigger}\n${by}`;
}
