import { describe, expect, it } from '@jest/globals';
import { DocumentCache } from './document-cache.ts';

const filled = (maxBytes: number, ...names: string[]): DocumentCache<string> => {
  const cache = new DocumentCache<string>(maxBytes);
  for (const name of names) cache.set(name, name.toUpperCase(), 10);
  return cache;
};

describe('the cache of documents', () => {
  it('keeps what fits', () => {
    const cache = filled(30, 'a', 'b', 'c');
    expect(['a', 'b', 'c', 'd'].map((name) => cache.get(name))).toEqual(['A', 'B', 'C', undefined]);
  });

  it('drops the oldest that nobody asked for', () => {
    const cache = filled(30, 'a', 'b', 'c');
    cache.get('a');
    cache.set('d', 'D', 10);
    expect(['a', 'b', 'c', 'd'].map((name) => cache.get(name))).toEqual(['A', undefined, 'C', 'D']);
  });

  it('comes to an end when everything is in use', () => {
    const cache = filled(30, 'a', 'b', 'c');
    for (const name of ['a', 'b', 'c']) cache.get(name);
    cache.set('d', 'D', 20);
    expect(cache.size).toBe(2);
    expect(cache.get('d')).toBe('D');
  });

  it('never holds more bytes than allowed', () => {
    const cache = new DocumentCache<number>(1000);
    for (let i = 0; i < 500; i += 1) {
      cache.set(`d${i}`, i, 7 + (i % 50));
      if (i % 3 === 0) cache.get(`d${i}`);
      expect(cache.bytes).toBeLessThanOrEqual(1000);
    }
    expect(cache.size).toBeGreaterThan(10);
  });

  it('does not keep what is larger than all of it', () => {
    const cache = filled(30, 'a');
    cache.set('huge', 'HUGE', 31);
    expect([cache.get('huge'), cache.get('a')]).toEqual([undefined, 'A']);
  });

  it('counts what a value costs later, and lets go of what has become too large', () => {
    const cache = filled(30, 'a', 'b', 'c');
    cache.grow('b', 10);
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([undefined, 'B', 'C']);
    expect(cache.bytes).toBe(30);
    cache.grow('b', 11);
    expect(cache.get('b')).toBeUndefined();
    cache.grow('b', 5);
    expect(cache.bytes).toBe(10);
  });
});
