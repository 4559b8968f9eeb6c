import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FairQueue } from './fair-queue.ts';
import { longestStandingMs } from './standing-queues.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const pass = (ms: number): void => void jest.advanceTimersByTime(ms);
const read = (): number => Math.round(longestStandingMs(performance.now()));
const asks = { caller: 'a', max: 1000, waitMs: 10_000 };

describe('the time that requests stand in queues', () => {
  it('is the least that anybody has waited since it was read, of the queue where that is most', () => {
    const [one, other] = [new FairQueue<string>(() => undefined), new FairQueue<string>(() => undefined)];
    expect(read()).toBe(0);
    one.add('1', asks);
    one.add('2', asks);
    other.add('3', asks);
    // Both were empty a moment ago.
    expect(read()).toBe(0);
    pass(40);
    one.take();
    one.add('4', asks);
    pass(30);
    one.take();
    expect(read()).toBe(70);
    expect(read()).toBe(70);
    other.take();
    pass(10);
    expect(read()).toBe(40);
    one.take();
    expect(read()).toBe(0);
  });

  it('is 0 for a queue that was empty in between, however long it is now', () => {
    const queue = new FairQueue<string>(() => undefined);
    for (const waiter of ['1', '2', '3']) queue.add(waiter, asks);
    read();
    pass(500);
    for (let i = 0; i < 3; i += 1) queue.take();
    queue.add('4', asks);
    pass(200);
    expect(read()).toBe(0);
    expect(read()).toBe(200);
    queue.take();
  });
});
