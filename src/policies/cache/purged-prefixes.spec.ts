import { describe, expect, it } from '@jest/globals';
import { keptPrefix, PurgedPrefixes, RING_SIZE } from './purged-prefixes.ts';

/** What a ring in Redis says after purges of these prefixes, each with its number from 1 on. */
function read(known: PurgedPrefixes, all: string, purges: readonly (readonly [string, boolean])[]): number {
  const fields = known.unread(all, purges.length);
  const values = purges.map(([prefix, soft], at) => `${at + 1} ${keptPrefix(prefix, soft)}`);
  known.take(all, purges.length, new Map(fields.map((one) => [one, values[Number(one.slice(1))] ?? ''])));
  return fields.length;
}

describe('PurgedPrefixes', () => {
  it('knows what was ended by a later purge, hard before soft', () => {
    const known = new PurgedPrefixes();
    read(known, 'x', [['h/a', false], ['h/', true], ['h/longer/than', false]]); // prettier-ignore
    expect(['h/a/1', 'h/b', 'h/', 'h', 'g'].map((uri) => known.stateOf(uri, 0))).toEqual([
      'purged',
      'aged',
      'aged',
      'current',
      'current',
    ]);
    expect([known.stateOf('h/a/1', 1), known.stateOf('h/a/1', 2)]).toEqual(['aged', 'current']);
  });

  it('reads each purge once, of more than there is room for only the last ones, and all anew after everything was purged', () => {
    const known = new PurgedPrefixes();
    expect(read(known, 'x', [['a', false], ['b', false]])).toBe(2); // prettier-ignore
    expect(read(known, 'x', [['a', false], ['b', false], ['c', false]])).toBe(1); // prettier-ignore
    expect(known.stateOf('a', 0)).toBe('purged');
    expect(known.unread('x', 1000)).toHaveLength(RING_SIZE);
    expect(new Set(known.unread('x', 1000)).size).toBe(RING_SIZE);
    expect(read(known, 'y', [['d', false]])).toBe(1);
    expect([known.stateOf('a', 0), known.stateOf('d', 0)]).toEqual(['current', 'purged']);
  });

  it.each(['', 'garbage', '1 h 2 short', `1 x 1 ${'a'.repeat(43)}`, `-1 h 1 ${'a'.repeat(43)}`])(
    'takes %j for none',
    (value) => {
      const known = new PurgedPrefixes();
      known.take('x', 1, new Map([['p0', value]]));
      expect(known.stateOf('a', 0)).toBe('current');
    },
  );
});
