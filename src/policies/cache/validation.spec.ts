import { describe, expect, it } from '@jest/globals';
import { createExchange } from '../../../test/support/exchange.ts';
import type { Entry } from './entry.ts';
import { validatorsOf } from './http-conditions.ts';
import { selectedBy, validationOf } from './validation.ts';

const DATE = 'Mon, 23 Nov 2026 12:00:00 GMT';
const entry = (...headers: string[]): Entry =>
  ({ answer: { headers }, validators: validatorsOf(headers) }) as unknown as Entry;
const tagged = (tag: string): Entry => entry('etag', tag);

describe('validationOf', () => {
  it('names the own tag first, then strong ones of others, once each', () => {
    const own = entry('etag', 'W/"o"', 'last-modified', DATE);
    const others = ['"a"', 'W/"b"', '"a"', '"c"'].map(tagged);
    expect(validationOf(createExchange(), own, others)?.fields).toEqual([
      'if-none-match',
      'W/"o", "a", "c"',
      'if-modified-since',
      DATE,
    ]);
  });

  it('names no others beside what is known by its date only', () => {
    const own = entry('last-modified', DATE);
    expect(validationOf(createExchange(), own, [tagged('"a"')])?.fields).toEqual(['if-modified-since', DATE]);
  });

  it('names eight, and no more than a kilobyte of them', () => {
    const many = Array.from({ length: 40 }, (_, at) => tagged(`"${at}"`));
    expect(validationOf(createExchange(), undefined, many)?.others).toHaveLength(8);
    const long = ['a', 'b', 'c'].map((one) => tagged(`"${one.repeat(500)}"`));
    expect(validationOf(createExchange(), undefined, long)?.others).toHaveLength(2);
  });

  it('asks nothing where there is nothing to ask by, nor for HEAD', () => {
    expect(validationOf(createExchange(), undefined, [entry()])).toBeUndefined();
    expect(validationOf(createExchange({ method: 'HEAD' }), tagged('"a"'), [])).toBeUndefined();
  });
});

describe('selectedBy', () => {
  const [own, a, b] = ['W/"o"', '"a"', '"b"'].map(tagged) as [Entry, Entry, Entry];
  it.each<[string, Entry | undefined, readonly Entry[], readonly string[], Entry | undefined]>([
    ['the own one without a tag', own, [a], [], own],
    ['the own one by a weak comparison', own, [a], ['etag', '"o"'], own],
    ['another one by its strong tag', own, [a, b], ['etag', '"b"'], b],
    ['the own one where it names none of them', own, [a], ['etag', '"x"'], own],
    ['the only one that was asked about', undefined, [a], [], a],
    ['none of several without a tag', undefined, [a, b], [], undefined],
    ['none by a weak tag', undefined, [a], ['etag', 'W/"a"'], undefined],
  ])('selects %s', (_, entryOf, others, headers, selected) => {
    expect(selectedBy({ fields: [], entry: entryOf, others }, headers)).toBe(selected);
  });
});
