import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ConnectionSlots, type SlotTaker } from '../connection-slots.ts';
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

describe('slots', () => {
  it('are given to as many as there are, then to who waits longest, and to nobody after its time', () => {
    const heard: string[] = [];
    const taker = (name: string): SlotTaker => ({
      granted: () => heard.push(`${name} granted`),
      waitedInVain: () => heard.push(`${name} in vain`),
    });
    const slots = new ConnectionSlots(2, 100);
    expect([slots.take(taker('a')), slots.take(taker('b'))]).toEqual([true, true]);
    const [c, d, e] = [taker('c'), taker('d'), taker('e')] as [SlotTaker, SlotTaker, SlotTaker];
    expect([slots.take(c), slots.take(d), slots.take(e)]).toEqual([false, false, false]);
    slots.forget(c);
    slots.giveBack();
    jest.advanceTimersByTime(100);
    expect(heard).toEqual(['d granted', 'e in vain']);
    slots.giveBack();
    expect(slots.take(c)).toBe(true);
  });
});
