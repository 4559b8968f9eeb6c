import type { SpanLog } from './span-log.ts';

/** Whose turn it is: the store is asked with keys alone, and does not know for whom. Undefined where nobody reads notes. */
let asking: SpanLog | undefined;

/**
 * Has what is asked of the store from now on, until somebody else is named, noted for an exchange. To be taken back in the same
 * turn: what is asked after a wait is not noted.
 *
 * @param spans undefined for nobody.
 * @returns whose turn it was.
 */
export function askFor(spans: SpanLog | undefined): SpanLog | undefined {
  const before = asking;
  asking = spans;
  return before;
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
