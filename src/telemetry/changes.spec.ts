import { describe, expect, it } from '@jest/globals';
import { Changes, MOST_CHANGES } from './changes.ts';

describe(Changes.name, () => {
  it('keeps so many, the latest ones, and tells how many it has left out', () => {
    const changes = new Changes();
    for (let i = 0; i < MOST_CHANGES + 3; i += 1) changes.take({ kind: 'order', text: String(i), at: i });
    expect([changes.since(0).length, changes.left]).toEqual([MOST_CHANGES, 3]);
    expect(changes.since(0)[0]?.text).toBe('3');
    expect(changes.since(MOST_CHANGES + 2).map(({ text }) => text)).toEqual([String(MOST_CHANGES + 2)]);
  });

  it('cuts long texts, and tells whoever listens', () => {
    const changes = new Changes();
    const heard: string[] = [];
    changes.note({ kind: 'start', text: 'before' });
    changes.listen(({ text }) => heard.push(text));
    changes.note({ kind: 'breaker', text: 'x'.repeat(10_000), upstream: 'users' });
    expect(heard).toEqual(['x'.repeat(500)]);
    expect(changes.since(0).at(-1)).toMatchObject({ kind: 'breaker', upstream: 'users' });
  });
});
