import { describe, expect, it } from '@jest/globals';
import { hrefBelow, hrefTo, pathAsked, pathText, queryText, readAddress } from './address.ts';

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

  it('of what the listener names stays below the console, whatever that is', () => {
    expect(hrefBelow('upstreams/a?target=10.0.0.1%3A80')).toBe('/console/upstreams/a?target=10.0.0.1%3A80');
    expect(hrefBelow('/console/config')).toBe('/console/config');
    expect(hrefBelow('//evil.example/x')).toBe('/console//evil.example/x');
    expect(hrefBelow('javascript:alert(1)')).toBe('/console/javascript:alert(1)');
    expect(hrefTo(['routes', '../x'], { q: 'a' })).toBe('/console/routes/..%2Fx?q=a');
  });

  it('says no process where none was chosen', () => {
    expect(pathAsked('traffic?range=2h')).toBe('traffic?range=2h');
  });
});
