import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Gathered } from './gathered.ts';

describe('what is gathered', () => {
  let done = 0;
  let gathered: Gathered;

  beforeEach(() => {
    jest.useFakeTimers();
    done = 0;
    gathered = new Gathered(100, () => (done += 1));
  });

  afterEach(() => {
    gathered.stop();
    jest.useRealTimers();
  });

  it('is done at once when nothing was before', () => {
    gathered.ask();
    expect(done).toBe(1);
    jest.advanceTimersByTime(1000);
    expect(done).toBe(1);
    gathered.ask();
    expect(done).toBe(2);
  });

  it('is done together when it is asked for again and again, and as often as may be', () => {
    for (let ms = 0; ms < 1000; ms += 1) {
      gathered.ask();
      jest.advanceTimersByTime(1);
    }
    expect(done).toBe(11);
  });

  it('is never forgotten: what was asked for last is done within that time', () => {
    gathered.ask();
    jest.advanceTimersByTime(99);
    gathered.ask();
    expect(done).toBe(1);
    jest.advanceTimersByTime(1);
    expect(done).toBe(2);
  });

  it('is not done after its end', () => {
    gathered.ask();
    gathered.ask();
    gathered.stop();
    jest.advanceTimersByTime(1000);
    expect(done).toBe(1);
  });
});
