import { describe, expect, it } from '@jest/globals';
import { isMeant } from '../snapshot/config-desk.ts';
import { etagOf, namedGenerations } from './config-match.ts';

const named = (field: string | undefined) => namedGenerations({ headers: { 'if-match': field } });

describe('If-Match of orders about configurations', () => {
  it.each<[string | undefined, readonly number[] | undefined]>([
    [undefined, undefined],
    ['*', undefined],
    [' * ', undefined],
    ['"3"', [3]],
    ['"3", "12"', [3, 12]],
    ['3', [3]],
    // Fails closed: what names no generation is none that could be in force.
    ['', []],
    ['W/"3"', []],
    ['"03"', []],
    ['"0"', []],
    ['"-1"', []],
    ['"three"', []],
    ['"*"', []],
  ])('%j names %j', (field, generations) => expect(named(field)).toEqual(generations));

  it('is met by any of those that it names, and by none where it names none', () => {
    expect([isMeant(undefined, 7), isMeant([6, 7], 7), isMeant([6], 7), isMeant([], 7)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(isMeant(named(etagOf(7)), 7)).toBe(true);
  });
});
