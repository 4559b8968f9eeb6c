import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { AnswerStore, type Entry } from './answer-store.ts';

const entry = (bytes: number, livesMs = 60_000): Entry => ({
  answer: { status: 200, headers: [], body: Buffer.alloc(bytes) },
  vary: [],
  storedAt: Date.now(),
  freshUntil: Date.now() + livesMs,
  staleUntil: Date.now() + livesMs,
});

describe('AnswerStore', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  it('gives back what it was given', () => {
    const store = new AnswerStore();
    const one = entry(10);
    store.set('a', one);
    expect([store.get('a'), store.get('b')]).toEqual([one, undefined]);
    store.delete('a');
    expect(store.get('a')).toBeUndefined();
  });

  it('holds no more bytes than it may, and lets go of what was used longest ago', () => {
    const store = new AnswerStore(10_000);
    for (const key of ['a', 'b', 'c']) store.set(key, entry(2500));
    expect(store.get('a')).toBeDefined();
    store.set('d', entry(2500));
    expect(['a', 'b', 'c', 'd'].filter((key) => store.get(key) !== undefined)).toEqual(['a', 'c', 'd']);
  });

  it('counts an entry once, however often it is replaced', () => {
    const store = new AnswerStore(10_000);
    store.set('a', entry(2500));
    for (let i = 0; i < 20; i += 1) store.set('b', entry(4000));
    expect(store.get('a')).toBeDefined();
  });

  it('takes small entries for more than nothing', () => {
    const store = new AnswerStore(10_000);
    for (let i = 0; i < 1000; i += 1) store.set(`key-${i}`, entry(0));
    const kept = Array.from({ length: 1000 }, (_, i) => store.get(`key-${i}`)).filter(
      (one) => one !== undefined,
    );
    expect(kept.length).toBeLessThan(20);
    expect(kept.length).toBeGreaterThan(10);
  });

  it('does not take what alone is too large, nor keep what it would have replaced', () => {
    const store = new AnswerStore(1000);
    store.set('a', entry(10));
    store.set('a', entry(1000));
    expect(store.get('a')).toBeUndefined();
    store.set('b', entry(10));
    expect(store.get('b')).toBeDefined();
  });

  it('forgets what may not even be used stale', () => {
    jest.useFakeTimers();
    const store = new AnswerStore(2000);
    store.set('a', entry(1000, 5000));
    jest.advanceTimersByTime(4999);
    expect(store.get('a')).toBeDefined();
    jest.advanceTimersByTime(1);
    expect(store.get('a')).toBeUndefined();
    store.set('b', entry(1000));
    store.set('c', entry(10));
    expect(store.get('c')).toBeDefined();
  });
});
