import { describe, expect, it } from '@jest/globals';
import { RecentChanges } from './recent-changes.ts';

const ROOM_FOR_TEN = 10 * (64 + 8);
const uri = (at: number): string => `host/${String(at).padStart(3, '0')}`;

describe('RecentChanges', () => {
  it('knows what has ended since, by URI, by prefix, and in all', () => {
    const changes = new RecentChanges();
    const before = changes.now;
    changes.changed('a/1');
    const between = changes.now;
    changes.endedBelow('b/');
    expect(['a/1', 'a/2', 'b/1', 'b'].map((one) => changes.hasEnded(one, before))).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(['a/1', 'b/1'].map((one) => changes.hasEnded(one, between))).toEqual([false, true]);
    changes.endedAll();
    expect(changes.hasEnded('c', between)).toBe(true);
    expect(changes.hasEnded('c', changes.now)).toBe(false);
  });

  it('takes nothing else for changed up to its bound, and hardly anything beyond it', () => {
    const changes = new RecentChanges(ROOM_FOR_TEN);
    const before = changes.now;
    for (let at = 0; at < 10; at += 1) changes.changed(uri(at));
    const others = Array.from({ length: 900 }, (_, at) => uri(at + 100));
    expect(others.filter((one) => changes.hasEnded(one, before))).toEqual([]);
    for (let at = 10; at < 100; at += 1) changes.changed(uri(at));
    // None of those that changed is missed, whether it is known by itself or not.
    for (let at = 0; at < 100; at += 1) expect(changes.hasEnded(uri(at), before)).toBe(true);
    expect(others.filter((one) => changes.hasEnded(one, before)).length).toBeLessThan(9);
    expect(changes.hasEnded(uri(0), changes.now)).toBe(false);
  });

  it('lets answers be kept in a flood of changes to other URIs', () => {
    const changes = new RecentChanges();
    const before = changes.now;
    for (let at = 0; at < 20_000; at += 1) changes.changed(`flood/${at}`);
    const kept = Array.from({ length: 1000 }, (_, at) => `shop/${at}`).filter(
      (one) => !changes.hasEnded(one, before),
    );
    expect(kept.length).toBeGreaterThan(900);
  });

  it('knows a URI that is too long to be remembered by itself', () => {
    const changes = new RecentChanges(100);
    const long = 'x'.repeat(200);
    changes.changed(long);
    expect(changes.hasEnded(long, 0)).toBe(true);
  });

  it('takes everything for ended before a prefix that it has forgotten, and nothing after', () => {
    const changes = new RecentChanges();
    for (let at = 0; at < 128; at += 1) changes.endedBelow(`p${at}/`);
    expect(changes.hasEnded('other', 0)).toBe(false);
    changes.endedBelow('one-more/');
    const after = 1;
    expect([changes.hasEnded('other', 0), changes.hasEnded('other', after)]).toEqual([true, false]);
    expect(changes.hasEnded('p5/a', after)).toBe(true);
    // One that covers others stands for them.
    changes.endedBelow('p');
    expect(changes.hasEnded('p5/a', changes.now - 1)).toBe(true);
    for (let at = 0; at < 120; at += 1) changes.endedBelow(`q${at}/`);
    expect(changes.hasEnded('other', after)).toBe(false);
  });
});
