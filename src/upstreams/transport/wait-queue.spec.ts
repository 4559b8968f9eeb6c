import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { QUEUE_TIMEOUT_MS, WaitQueue } from './wait-queue.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe('a queue', () => {
  it('waits a second where nobody says otherwise', () => expect(QUEUE_TIMEOUT_MS).toBe(1000));

  it('lets each wait for its own time, and tells who has waited in vain, in order', () => {
    const vain: string[] = [];
    const queue = new WaitQueue<string>(100, (one) => vain.push(one));
    queue.add('a');
    jest.advanceTimersByTime(40);
    queue.add('b');
    queue.add('c');
    queue.delete('b');
    jest.advanceTimersByTime(59);
    expect(vain).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(vain).toEqual(['a']);
    expect([...queue]).toEqual(['c']);
    jest.advanceTimersByTime(40);
    expect(vain).toEqual(['a', 'c']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('holds no timer when nobody waits', () => {
    const queue = new WaitQueue<string>(100, () => undefined);
    for (const empty of [() => queue.delete('a'), () => queue.clear()]) {
      queue.add('a');
      expect(jest.getTimerCount()).toBe(1);
      empty();
      expect(jest.getTimerCount()).toBe(0);
    }
  });
});
