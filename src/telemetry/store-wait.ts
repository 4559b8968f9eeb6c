import type { SpanLog } from './span-log.ts';

/** Whose turn it is: the store is asked with keys alone, and does not know for whom. Undefined where nobody reads notes. */
let asking: SpanLog | undefined;

/**
 * Runs something synchronous for an exchange: what it asks of the store at once is noted for that exchange. What it asks after
 * it has waited is not.
 *
 * @param spans undefined for nobody.
 */
export function askingFor<Result>(spans: SpanLog | undefined, run: () => Result): Result {
  const before = asking;
  asking = spans;
  try {
    return run();
  } finally {
    asking = before;
  }
}

/**
 * Takes note of a wait for the store, for whoever is asking.
 *
 * @param use what the store is used for.
 * @param failed what it answers with that did not answer.
 */
export function noteStoreWait(use: string, answer: Promise<unknown>, failed: symbol): void {
  const note = asking?.begin('store', use);
  if (note === undefined) return;
  // It never rejects: who guards the store sees to that.
  void answer.then((value) => {
    const isFault = value === failed;
    note.end(isFault ? 'unavailable' : 'ok', isFault);
  });
}
