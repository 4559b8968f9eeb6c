import { describe, expect, it } from '@jest/globals';
import { compileRoutes, type TestRoute } from '../../test/support/routes.ts';
import { randomFrom } from '../../test/support/random.ts';
import { covers } from './path-pattern.ts';
import { methodMatches } from './segment-tree.ts';
import { shadowedRoutes } from './shadowed-routes.ts';
import type { Route } from './route.ts';

/** What each pair of routes says: the first that hides a route, by comparing it with all. */
function shadowsByPairs(routes: readonly Route[]): [string, string][] {
  return routes.flatMap((route, index): [string, string][] => {
    if (route.door !== 'proxy') return [];
    const shadow = routes.find((other, at) => hides(other, route, at < index));
    return shadow === undefined ? [] : [[route.id, shadow.id]];
  });
}

function hides(other: Route, route: Route, standsBefore: boolean): boolean {
  if (other === route || !takesAllMethodsOf(other, route)) return false;
  if (other.door === 'handler') return covers(other.pattern, route.pattern);
  const asSpecific = other.match.methods.length > 0 || route.match.methods.length === 0;
  return standsBefore && asSpecific && shapeOf(other) === shapeOf(route);
}

function takesAllMethodsOf(other: Route, route: Route): boolean {
  if (other.match.methods.length === 0) return true;
  return (
    route.match.methods.length > 0 && route.match.methods.every((method) => methodMatches(other, method))
  );
}

function shapeOf({ pattern, match }: Route): string {
  const segments = pattern.segments.map((one) => (one.kind === 'literal' ? one.text : { parameter: true }));
  const fields = Object.entries(match.headers).sort();
  return JSON.stringify([segments, pattern.wildcard, pattern.verb, [...match.hosts].sort(), fields]);
}

const PATHS = ['/', '/*', '/a', '/a/*', '/{x}', '/{y}', '/{x}/*', '/a/b', '/a/{x}', '/{x}/b', '/{x}/{y}', '/a/{x}:go', '/a/{y}:go', '/a/{x}:up', '/{x}/*:go', '/a/b/*']; // prettier-ignore
const METHODS = [[], [], ['GET'], ['HEAD'], ['POST'], ['GET', 'POST'], ['POST', 'GET', 'HEAD'], ['PUT']];
const HOSTS = [[], [], [], ['x'], ['x', 'y'], ['y', 'x'], ['*.x']];
const FIELDS = [{}, {}, {}, { b: '1' }, { b: '2' }, { c: '1', b: '1' }, { b: '1', c: '1' }];

describe(shadowedRoutes, () => {
  it('finds on thousands of tables what comparing each route with every other one finds', () => {
    const random = randomFrom(20_260_721);
    const pick = <One>(choices: readonly One[]): One => choices[Math.floor(random() * choices.length)] as One;
    let found = 0;
    for (let table = 0; table < 3000; table += 1) {
      const count = 2 + Math.floor(random() * 14);
      const routes = compileRoutes(
        Array.from({ length: count }, (_, index): TestRoute => {
          const isHandler = random() < 0.2;
          const conditions = isHandler ? {} : { hosts: pick(HOSTS), headers: pick(FIELDS) };
          return { id: `r${index}`, path: pick(PATHS), methods: pick(METHODS), door: isHandler ? 'handler' : 'proxy', ...conditions };
        }), // prettier-ignore
      );
      const shadows = [...shadowedRoutes(routes)].map(([route, shadow]) => [route.id, shadow.id]);
      expect(shadows).toEqual(shadowsByPairs(routes));
      found += shadows.length;
    }
    expect(found).toBeGreaterThan(3000);
  });
});
