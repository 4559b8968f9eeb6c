import { describe, expect, it } from '@jest/globals';
import { compileRoutes, createCompiler, type TestRoute } from '../../test/support/routes.ts';
import { randomFrom } from '../../test/support/random.ts';
import { covers } from './path-pattern.ts';
import { methodMatches } from './segment-tree.ts';
import { shadowedRoutes } from './shadowed-routes.ts';
import type { Route } from './route.ts';

/** What each pair of routes says: the first that hides a route, by comparing it with all. */
function shadowsByPairs(routes: readonly Route[]): [string, string][] {
  return routes.flatMap((route, index): [string, string][] => {
    if (route.door !== 'proxy') return [];
    const before = hostsOf(route).map((host) =>
      routes.findIndex((one, at) => at < index && hidesAt(host, one, route)),
    );
    const handler = routes.findIndex((one) => one.door === 'handler' && isOver(one, route));
    const isHidden = !before.includes(-1);
    const found = [...(isHidden ? before : []), ...(handler < 0 ? [] : [handler])];
    return found.length === 0 ? [] : [[route.id, routes[Math.min(...found)]?.id ?? '']];
  });
}

const hostsOf = ({ match: { hosts } }: Route): readonly string[] => (hosts.length === 0 ? [''] : hosts);

function isOver(handler: Route, route: Route): boolean {
  return takesAllMethodsOf(handler, route) && covers(handler.pattern, route.pattern);
}

function hidesAt(host: string, other: Route, route: Route): boolean {
  if (other.door === 'handler' || !hostsOf(other).includes(host) || !takesAllMethodsOf(other, route))
    return false;
  const asSpecific = other.match.methods.length > 0 || route.match.methods.length === 0;
  return asSpecific && shapeOf(other) === shapeOf(route);
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
  return JSON.stringify([segments, pattern.wildcard, pattern.verb, fields]);
}

const PATHS = ['/', '/*', '/a', '/a/*', '/{x}', '/{y}', '/{x}/*', '/a/b', '/a/{x}', '/{x}/b', '/{x}/{y}', '/a/{x}:go', '/a/{y}:go', '/a/{x}:up', '/{x}/*:go', '/a/b/*']; // prettier-ignore
const METHODS = [[], [], ['GET'], ['HEAD'], ['POST'], ['GET', 'POST'], ['POST', 'GET', 'HEAD'], ['PUT']];
const HOSTS = [[], [], [], ['x'], ['x', 'y'], ['y', 'x'], ['*.x']];
const FIELDS = [{}, {}, {}, { b: '1' }, { b: '2' }, { c: '1', b: '1' }, { b: '1', c: '1' }];

describe(shadowedRoutes, () => {
  it('finds on thousands of tables what comparing each route with every other one finds', () => {
    const random = randomFrom(20_260_721);
    const compiler = createCompiler();
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
        compiler,
      );
      const all = [...shadowedRoutes(routes)].filter(([{ door }]) => door === 'proxy');
      const shadows = all.map(([route, shadow]) => [route.id, shadow.id]);
      expect(shadows).toEqual(shadowsByPairs(routes));
      found += shadows.length;
    }
    expect(found).toBeGreaterThan(3000);
  });
});
