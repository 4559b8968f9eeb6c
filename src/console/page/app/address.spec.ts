import { describe, expect, it } from '@jest/globals';
import { pathText, queryText, readAddress } from './address.ts';

describe('the address', () => {
  it('is read below any prefix, segment by segment', () => {
    const { path, query } = readAddress('/gw/console/routes/a%2Fb', '?tab=refused', '/gw/console/');
    expect([path, query.get('tab')]).toEqual([['routes', 'a/b'], 'refused']);
    expect(readAddress('/console/%', '', '/console/').path).toEqual(['%']);
  });

  it('is written so that it can be read again', () => {
    expect(pathText(['routes', 'a/b c'])).toBe('routes/a%2Fb%20c');
    const query = new URLSearchParams('q=x&from=100');
    expect(queryText({ sort: '-p95', from: undefined }, query)).toBe('?q=x&sort=-p95');
    expect(queryText({ q: '' })).toBe('');
  });
});
