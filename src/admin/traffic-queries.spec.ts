import { describe, expect, it } from '@jest/globals';
import { listed, partOf, queries } from './traffic-queries.ts';

describe('a query about traffic', () => {
  it('has what is usual where it says nothing', () => {
    expect(queries.routes.parse({})).toEqual({ limit: 100, from: 0, window: '60s', names: false });
    expect(queries.stream.parse({})).toEqual({ view: 'overview', range: '10m', from: 0, n: 100 });
  });

  it.each([
    ['', true],
    ['true', true],
    ['1', true],
    ['false', false],
    ['0', false],
  ])('takes the flag %j as %s', (names, isSet) => {
    expect(queries.routes.parse({ names }).names).toBe(isSet);
  });

  it.each([
    { limit: '1001' },
    { limit: '-1' },
    { from: '1.5' },
    { limit: 'x' },
    { q: 'x'.repeat(201) },
    { sort: 'nothing-known' },
    { window: '5s' },
    { names: 'yes' },
    { unknown: '1' },
  ])('is refused with %j', (query) => {
    expect(queries.routes.safeParse(query).success).toBe(false);
  });

  it('sorts either way', () => {
    for (const sort of ['id', '-id']) expect(queries.routes.parse({ sort }).sort).toBe(sort);
  });
});

describe('a part of a list', () => {
  const all = ['a', 'b', 'c'];

  it('says how many there are, and where it goes on', () => {
    expect(partOf(all, { from: 0, limit: 2 })).toEqual({ total: 3, rows: ['a', 'b'], next: 2 });
    expect(partOf(all, { from: 2, limit: 2 })).toEqual({ total: 3, rows: ['c'] });
  });

  it('goes nowhere from beyond the end, and from a page of nothing', () => {
    expect(partOf(all, { from: 9, limit: 2 })).toEqual({ total: 3, rows: [] });
    expect(partOf(all, { from: 0, limit: 0 })).toEqual({ total: 3, rows: [] });
  });

  it('is the same of rows that were cut already', () => {
    expect(listed(['b'], 3, 1)).toEqual({ total: 3, rows: ['b'], next: 2 });
  });
});
