import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ReadingPace } from './reading-pace.ts';

describe('ReadingPace', () => {
  const events: string[] = [];
  const pace = () =>
    new ReadingPace(
      () => events.push('pause'),
      () => events.push('resume'),
    );
  const say = (one: ReadingPace, messages: number, bytes = 0): void => {
    for (let i = 0; i < messages; i += 1) one.heard(bytes);
  };
  beforeEach(() => {
    events.length = 0;
    jest.useFakeTimers();
  });
  afterEach(() => void jest.useRealTimers());

  it('reads a thousand messages at once, and the next ones later', () => {
    const one = pace();
    say(one, 1000);
    expect(events).toEqual([]);
    say(one, 1);
    expect(events).toEqual(['pause']);
    jest.advanceTimersByTime(2);
    expect(events).toEqual(['pause', 'resume']);
  });

  it('waits the longer the more of what was read already goes on coming', () => {
    const one = pace();
    say(one, 1501);
    say(one, 499);
    jest.advanceTimersByTime(1990);
    expect(events).toEqual(['pause']);
    jest.advanceTimersByTime(20);
    expect(events).toEqual(['pause', 'resume']);
  });

  it('counts large messages by their size', () => {
    const one = pace();
    say(one, 16, 60 * 1024);
    expect(events).toEqual([]);
    say(one, 1, 60 * 1024);
    expect(events).toEqual(['pause']);
  });

  it('never stops who says five hundred a second', () => {
    const one = pace();
    for (let second = 0; second < 60; second += 1) {
      say(one, 500);
      jest.advanceTimersByTime(1000);
    }
    expect(events).toEqual([]);
  });

  it('has no clock after its end', () => {
    const one = pace();
    say(one, 5000);
    one.end();
    expect(jest.getTimerCount()).toBe(0);
  });
});
