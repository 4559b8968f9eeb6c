import { describe, expect, it } from '@jest/globals';
import { LiveLimits } from './live-limits.ts';

describe('limits as Redis says them', () => {
  it('are read, those that are none are left out and reported once', () => {
    const reports: string[] = [];
    const limits = new LiveLimits('the hash', (message) => void reports.push(message));
    const texts = new Map([
      ['a', '{"rate":5,"per":"1s"}'],
      ['b', 'off'],
      ['c', '{"rate":0}'],
      ['d', 'nonsense'],
      ['e', '{"rate":5,"per":1}'],
      ['f', '[]'],
      ['g', 'null'],
    ]);
    for (let read = 0; read < 2; read += 1) limits.use(texts);
    expect([...limits.all]).toEqual([
      ['a', { rate: 5, per: 1000, burst: 5 }],
      ['b', 'off'],
    ]);
    expect(reports.map((message) => /value of (\w)/.exec(message)?.[1])).toEqual(['c', 'd', 'e', 'f', 'g']);
    expect(reports[0]).toContain('the hash');
  });

  it('are the same objects for as long as they say the same', () => {
    const limits = new LiveLimits('h', () => undefined);
    const read = (text: string) => {
      limits.use(new Map([['a', text]]));
      return limits.all.get('a');
    };
    const first = read('{"rate":5}');
    expect(read('{"rate":5}')).toBe(first);
    expect(read('{"rate":6}')).not.toBe(first);
    limits.use(new Map());
    expect(limits.all.size).toBe(0);
  });
});
