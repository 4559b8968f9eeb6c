import { describe, expect, it } from '@jest/globals';
import type { ServedPart } from '../../calls/call.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { cacheControlOf, Freshness, NOT_FRESH } from './freshness.ts';
import { addToField, entityTagOf, matchesTag } from '../response-fields.ts';

const part = (
  freshForMs: number,
  scope: ServedPart['scope'],
  source: ServedPart['source'] = 'cache',
): ServedPart => ({
  call: 'c',
  source,
  ageMs: 0,
  freshForMs,
  scope,
});

/** The freshness of an answer that was made of these parts. */
function of(...parts: readonly ServedPart[]): Freshness {
  const total = new Freshness();
  for (const one of parts) {
    total.expect();
    total.hear(one);
  }
  return total;
}

const nobody = { principal: undefined } as Exchange;
const somebody = { principal: {} } as Exchange;

describe(cacheControlOf.name, () => {
  it.each([
    [
      'of public parts is the least fresh of them',
      of(part(60_000, 'public'), part(5_900, 'public')),
      'public, max-age=5',
    ],
    [
      'of one part for a principal is private',
      of(part(9_000, 'public'), part(9_000, 'principal')),
      'private, max-age=9',
    ],
    ['of nothing is no-store', of(), 'no-store'],
    ['of less than a second is no-store', of(part(999, 'public')), 'no-store'],
    ['of a stale part is no-store', of(part(60_000, 'public'), part(0, 'public', 'stale')), 'no-store'],
    ['of a fallback is no-store', of(part(60_000, 'public', 'fallback')), 'no-store'],
  ])('%s', (_, freshness, expected) => {
    expect(cacheControlOf(freshness, nobody)).toBe(expected);
  });

  it('is private for whoever has a principal', () => {
    expect(cacheControlOf(of(part(9_000, 'public')), somebody)).toBe('private, max-age=9');
  });

  it('is no-store while a call has not said how it was served, or never will', () => {
    const total = of(part(9_000, 'public'));
    total.expect();
    expect(cacheControlOf(total, nobody)).toBe('no-store');
    const other = of(part(9_000, 'public'));
    other.add(NOT_FRESH);
    expect(cacheControlOf(other, nobody)).toBe('no-store');
  });
});

describe('the fields of an answer', () => {
  it('has one Vary, however many ask for it', () => {
    const fields = ['x', 'vary'];
    addToField(fields, 'vary', 'accept');
    addToField(fields, 'vary', 'x-device');
    expect(fields).toEqual(['x', 'vary', 'vary', 'accept, x-device']);
  });

  it('knows a tag by weak comparison, in a list, and any by the star', () => {
    const tag = entityTagOf({ a: 1 });
    expect(tag).toBe(entityTagOf({ a: 1 }));
    expect(tag).not.toBe(entityTagOf({ a: 2 }));
    expect([tag, tag.slice(2), `"x", ${tag}`, '*'].map((field) => matchesTag(field, tag))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect([undefined, '', '"x"', tag.slice(3)].map((field) => matchesTag(field, tag))).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});
