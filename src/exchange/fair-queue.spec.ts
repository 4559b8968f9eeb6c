import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FairQueue } from './fair-queue.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const asks = { max: 4, waitMs: 100 };

/** A queue whose waiters are called by their caller and a number. */
function queueOf(...waiters: string[]): { queue: FairQueue<string>; lost: string[] } {
  const lost: string[] = [];
  const queue = new FairQueue<string>((one) => lost.push(one));
  for (const one of waiters) queue.add(one, { ...asks, caller: one[0] ?? '' });
  return { queue, lost };
}

const served = (queue: FairQueue<string>): string[] => {
  const order: string[] = [];
  for (let one = queue.take(); one !== undefined; one = queue.take()) order.push(one);
  return order;
};

describe('FairQueue', () => {
  it('serves callers in turn, and what one of them asks in order', () => {
    const { queue } = queueOf('a1', 'a2', 'a3', 'b1');
    expect(queue.peek()).toBe('a1');
    expect(served(queue)).toEqual(['a1', 'b1', 'a2', 'a3']);
    expect([queue.size, queue.callers, jest.getTimerCount()]).toEqual([0, 0, 0]);
  });

  it('has so many places and not one more', () => {
    const { queue, lost } = queueOf('a1', 'b1', 'c1', 'd1');
    expect(queue.add('e1', { ...asks, caller: 'e' })).toBe(false);
    expect([queue.size, lost]).toEqual([4, []]);
    expect(queue.add('e1', { ...asks, max: 5, caller: 'e' })).toBe(true);
  });

  it('takes the last place of who has the most for one who has fewer, and none for who would have as many', () => {
    const { queue, lost } = queueOf('a1', 'a2', 'a3', 'b1');
    expect(queue.add('a4', { ...asks, caller: 'a' })).toBe(false);
    expect(queue.add('b2', { ...asks, caller: 'b' })).toBe(true);
    expect(lost).toEqual(['a3']);
    expect(queue.add('b3', { ...asks, caller: 'b' })).toBe(false);
    expect(queue.add('c1', { ...asks, caller: 'c' })).toBe(true);
    expect(served(queue)).toEqual(['a1', 'b1', 'c1', 'b2']);
    expect(lost).toEqual(['a3', 'a2']);
  });

  it('lets nobody wait longer than its time', async () => {
    const { queue, lost } = queueOf('a1');
    queue.add('b1', { ...asks, waitMs: 50, caller: 'b' });
    await jest.advanceTimersByTimeAsync(49);
    expect(lost).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(lost).toEqual(['b1']);
    await jest.advanceTimersByTimeAsync(50);
    expect([lost, queue.size]).toEqual([['b1', 'a1'], 0]);
  });

  it('forgets who leaves', () => {
    const { queue, lost } = queueOf('a1', 'a2', 'b1');
    expect([queue.delete('a1'), queue.delete('a1')]).toEqual([true, false]);
    expect(served(queue)).toEqual(['a2', 'b1']);
    expect([lost, jest.getTimerCount()]).toEqual([[], 0]);
  });

  describe('that is adaptive', () => {
    const adaptive = { max: 4, waitMs: 100, order: 'adaptive' } as const;
    /** Somebody waits all the time, for longer than one may. */
    function standing(...waiters: string[]): { queue: FairQueue<string>; lost: string[] } {
      const lost: string[] = [];
      const queue = new FairQueue<string>((one) => lost.push(one));
      queue.add('x1', { ...adaptive, caller: 'x' });
      jest.advanceTimersByTime(60);
      queue.add('x2', { ...adaptive, caller: 'x' });
      jest.advanceTimersByTime(60);
      for (const one of waiters) queue.add(one, { ...adaptive, caller: one[0] ?? '' });
      queue.delete('x2');
      lost.length = 0;
      return { queue, lost };
    }

    it('serves in order until somebody has waited without a pause for as long as one may', () => {
      const lost: string[] = [];
      const queue = new FairQueue<string>((one) => lost.push(one));
      for (const one of ['a1', 'a2', 'b1', 'a3']) queue.add(one, { ...adaptive, caller: one[0] ?? '' });
      jest.advanceTimersByTime(99);
      expect(served(queue)).toEqual(['a1', 'b1', 'a2', 'a3']);
    });

    it('serves the last of each caller first while it stands, callers in turn', () => {
      const { queue } = standing('a1', 'a2', 'b1');
      expect(served(queue)).toEqual(['a2', 'b1', 'a1']);
      // After a pause it serves in order again.
      for (const one of ['a1', 'a2']) queue.add(one, { ...adaptive, caller: 'a' });
      expect(served(queue)).toEqual(['a1', 'a2']);
    });

    it('gives up the oldest of who has the most, or of who asks, and nothing of who has as little', () => {
      const { queue, lost } = standing('a1', 'a2', 'a3');
      queue.add('b1', { ...adaptive, caller: 'b' });
      expect(queue.add('c1', { ...adaptive, caller: 'c' })).toBe(true);
      expect(lost).toEqual(['a1']);
      expect(queue.add('a4', { ...adaptive, caller: 'a' })).toBe(true);
      expect(lost).toEqual(['a1', 'a2']);
      expect(queue.add('d1', { ...adaptive, caller: 'd' })).toBe(true);
      expect(queue.add('e1', { ...adaptive, caller: 'e' })).toBe(false);
      expect(lost).toEqual(['a1', 'a2', 'a3']);
      expect([queue.size, jest.getTimerCount()]).toEqual([4, 4]);
      expect(served(queue).toSorted()).toEqual(['a4', 'b1', 'c1', 'd1']);
    });
  });
});
