import { describe, expect, it } from '@jest/globals';
import { SpanLog } from './span-log.ts';
import { askFor, noteStoreWait } from './store-wait.ts';

const FAILED = Symbol('failed');

describe('a wait for the store', () => {
  it('is noted for whoever asks, until another one does', async () => {
    const [one, other] = [new SpanLog(), new SpanLog()];
    const before = askFor(one);
    noteStoreWait('limits', Promise.resolve(1), FAILED);
    expect(askFor(other)).toBe(one);
    noteStoreWait('cache', Promise.resolve(FAILED), FAILED);
    askFor(before);
    noteStoreWait('quota', Promise.resolve(1), FAILED);
    await new Promise(setImmediate);
    const of = ({ notes }: SpanLog) => notes.map(({ sort, name, outcome, isFault }) => [sort, name, outcome, isFault]);
    expect([of(one), of(other)]).toEqual([[['store', 'limits', 'ok', false]], [['store', 'cache', 'unavailable', true]]]);
  }); // prettier-ignore

  it('is noted for nobody where nobody reads notes', () => {
    const before = askFor(undefined);
    expect(() => noteStoreWait('limits', Promise.resolve(1), FAILED)).not.toThrow();
    askFor(before);
  });
});
