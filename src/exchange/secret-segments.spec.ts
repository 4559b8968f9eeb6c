import { describe, expect, it } from '@jest/globals';
import { parsePathPattern } from '../routing/path-pattern.ts';
import { withoutSecretSegments } from './secret-segments.ts';

const routesOf = (...sources: string[]) => sources.map((source) => ({ pattern: parsePathPattern(source) }));
const routes = routesOf(
  '/reset/{token:[0-9]+}',
  '/users/{id}/keys/{apiKey}/x',
  '/open/{id}',
  '/a/{id}/{secret}',
);

describe('paths that no route takes', () => {
  it.each([
    ['/Reset/abc', '/Reset/*'],
    ['/reset/abc/', '/reset/*/'],
    ['//reset//abc', '//reset//*'],
    ['/%72eset/abc', '/%72eset/*'],
    ['/app/reset/abc/more', '/app/reset/*/more'],
    ['/users/7/KEYS/abc', '/users/7/KEYS/*'],
    ['/a/7/abc/x', '/a/7/*/x'],
    ['/open/7/x', '/open/7/x'],
    ['/reset', '/reset'],
    ['/%E0%A4%A/abc', '/%E0%A4%A/abc'],
    ['', ''],
  ])('%s is shown as %s', (path, shown) => expect(withoutSecretSegments(path, routes)).toBe(shown));

  it('are hidden from the beginning where a route begins so, and shown whole where no route has a secret', () => {
    expect(withoutSecretSegments('/abc/x', routesOf('/{token}'))).toBe('/*/x');
    expect(withoutSecretSegments('/reset/abc', routesOf('/reset/{id}'))).toBe('/reset/abc');
    expect(withoutSecretSegments('/reset/abc', undefined)).toBe('/reset/abc');
  });
});
