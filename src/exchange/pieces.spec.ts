import { describe, expect, it } from '@jest/globals';
import { Pieces } from './pieces.ts';

describe('pieces of a body', () => {
  it.each([
    [],
    ['a'],
    ['a', 'bc', '', 'def'],
    Array.from({ length: 5000 }, (_, i) => String(i)),
    ['x'.repeat(300_000), 'y', 'z'.repeat(300_000)],
  ])('become the whole that they are pieces of', (...texts: string[]) => {
    const pieces = new Pieces();
    for (const text of texts) pieces.push(Buffer.from(text));
    expect(pieces.length).toBe(texts.join('').length);
    expect(pieces.take().toString() === texts.join('')).toBe(true);
    expect([pieces.length, pieces.take().length]).toEqual([0, 0]);
  });

  it('are copied', () => {
    const pieces = new Pieces();
    const reused = Buffer.from('a');
    pieces.push(reused);
    reused.write('b');
    expect(pieces.take().toString()).toBe('a');
  });

  it('of one byte each take about as much memory as they are', () => {
    const bytes = 4 * 2 ** 20;
    const pieces = new Pieces();
    const one = Buffer.from('a');
    const held = () => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
    const before = held();
    for (let i = 0; i < bytes; i += 1) pieces.push(one);
    // By themselves they would take hundreds of megabytes; the heap's own noise is far below that.
    expect(held() - before).toBeLessThan(64 * 2 ** 20);
    expect(pieces.length).toBe(bytes);
  });
});
