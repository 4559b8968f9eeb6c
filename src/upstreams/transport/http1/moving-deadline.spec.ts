import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { MovingDeadline } from './moving-deadline.ts';

let passed: number;
let deadline: MovingDeadline;

beforeEach(() => {
  jest.useFakeTimers();
  passed = 0;
  deadline = new MovingDeadline(() => (passed += 1));
});
afterEach(() => void jest.useRealTimers());

/** How often it has passed after so many ms more. */
const after = (ms: number): number => {
  jest.advanceTimersByTime(ms);
  return passed;
};

describe(MovingDeadline.name, () => {
  it('passes once, when it is there and not before', () => {
    deadline.set(100);
    expect([after(99), after(1), after(1000)]).toEqual([0, 1, 1]);
  });

  it('that moves on passes at its last place, with one timer', () => {
    for (let i = 0; i < 10; i += 1) {
      deadline.set(100);
      expect([after(50), jest.getTimerCount()]).toEqual([0, 1]);
    }
    expect([after(49), after(1)]).toEqual([0, 1]);
  });

  it('that moves nearer passes earlier', () => {
    deadline.set(1000);
    after(10);
    deadline.set(20);
    expect([after(19), after(1), after(2000)]).toEqual([0, 1, 1]);
  });

  it('that was taken away does not pass, and can be set again', () => {
    deadline.set(100);
    deadline.rest();
    expect(after(200)).toBe(0);
    deadline.set(100);
    expect([after(99), after(1)]).toEqual([0, 1]);
    deadline.set(Infinity);
    expect(after(1000)).toBe(1);
  });

  it('that was ended leaves no timer', () => {
    deadline.set(100);
    deadline.end();
    expect([jest.getTimerCount(), after(1000)]).toEqual([0, 0]);
  });
});
