import { describe, expect, it } from '@jest/globals';
import { createExchange } from '../../test/support/exchange.ts';
import { randomFrom } from '../../test/support/random.ts';
import { compileRoutes, type TestRoute } from '../../test/support/routes.ts';
import { rankOf } from './candidates.ts';
import { hostMatches } from './host-trees.ts';
import { RouteTable } from './route-table.ts';
import type { Route } from './route.ts';
import { conditionsHold, methodMatches, searchFor } from './segment-tree.ts';

const PATHS = [
  '/*',
  '/a',
  '/a/*',
  '/{x}',
  '/{x}/*',
  '/{x:[ab]}',
  '/{x:[a-z]+}/b',
  '/a/b',
  '/a/{x}',
  '/{x}/b',
  '/{x}/{y}',
  '/a/{x:b|c}',
];
const HOSTS = [[], [], ['h.test'], ['*.test'], ['*.h.test', 'h.test'], ['other']];
const METHODS = [[], [], ['GET'], ['PUT', 'GET'], ['PUT']];
const FIELDS = [{}, {}, { b: '1' }, { b: { present: true } }, { b: '1', c: { prefix: '1' } }];
const QUERIES = [undefined, undefined, { q: '1' }, { q: { regex: '[0-9]' } }];

/** A path pattern as an ordinary expression. */
const expressionOf = ({ pattern }: Route): RegExp => {
  const parts = pattern.segments.map(
    (one) => `/${one.kind === 'literal' ? one.text : `(?:${one.pattern?.source ?? '[^/]+'})`}`,
  );
  return new RegExp(
    `^${parts.join('')}${pattern.wildcard ? '(?:/.*)?' : pattern.segments.length === 0 ? '/' : ''}$`,
  );
};

/** What a pattern is ordered by: segment by segment a literal, an expression, any text, the rest. */
function specificity({ pattern }: Route): number[] {
  const kinds = pattern.segments.map((one) =>
    one.kind === 'literal' ? 4 : one.pattern === undefined ? 2 : 3,
  );
  return [...kinds, pattern.wildcard ? 1 : 5];
}

function hostRank({ match: { hosts } }: Route, host: string): number {
  const ranks = hosts
    .filter((one) => hostMatches([one], host))
    .map((one) => (one.startsWith('*') ? one.length : 1000));
  return Math.max(0, ...ranks);
}

/** The first by priority, host, path, method, fields, query, order, by sorting all that take the request. */
function byTheBook(routes: readonly Route[], asked: ReturnType<typeof createExchange>): Route | undefined {
  const taking = routes.filter(
    (route) =>
      (route.match.hosts.length === 0 || hostMatches(route.match.hosts, asked.host)) &&
      expressionOf(route).test(asked.path) &&
      methodMatches(route, asked.method) &&
      conditionsHold(route, searchFor(asked, asked.path)),
  );
  const keys = new Map(
    taking.map((route) => [
      route,
      [route.priority, hostRank(route, asked.host), ...specificity(route), 0, ...rankOf(route)],
    ]),
  );
  return taking.toSorted((a, b) => {
    const [x, y] = [keys.get(a) ?? [], keys.get(b) ?? []];
    const at = x.findIndex((value, index) => value !== y[index]);
    return at < 0 ? 0 : (y[at] ?? 0) - (x[at] ?? 0);
  })[0];
}

describe('the precedence of routes', () => {
  it('is what sorting all that take a request says, on hundreds of tables', () => {
    const random = randomFrom(20_261_127);
    const pick = <One>(choices: readonly One[]): One => choices[Math.floor(random() * choices.length)] as One;
    let found = 0;
    for (let table = 0; table < 250; table += 1) {
      const isRanked = random() < 0.3;
      // Two expressions at one place go by their order, which the sorting here does not know: one of each is enough.
      const paths = PATHS.filter((path) => !path.includes(':') || random() < 0.2).filter(
        (path, index, all) =>
          !path.startsWith('/{x:') || all.findIndex((one) => one.startsWith('/{x:')) === index,
      );
      const routes = compileRoutes(
        Array.from({ length: 2 + Math.floor(random() * 12) }, (_, index): TestRoute => ({
          id: `r${index}`,
          path: pick(paths),
          hosts: pick(HOSTS),
          methods: pick(METHODS),
          headers: pick<NonNullable<TestRoute['headers']>>(FIELDS),
          query: pick<TestRoute['query']>(QUERIES),
          priority: isRanked ? pick([0, 0, 0, 5, -5]) : 0,
        })),
      );
      const tree = new RouteTable(routes);
      for (const target of ['/', '/a', '/b', '/a/b', '/z/b', '/a/c', '/a/b/c?q=1', '/a/b?q=1', '/q?q=x']) {
        const host = pick(['h.test', 'x.h.test', 'y.test', 'other', 'none']);
        const headers = pick([[], ['b', '1'], ['b', '2'], ['b', '1', 'c', '12']]);
        const asked = createExchange({ target, host, headers, method: pick(['GET', 'HEAD', 'PUT', 'POST']) });
        const expected = byTheBook(routes, asked);
        expect([target, tree.peek(asked)?.id]).toEqual([target, expected?.id]);
        found += Number(expected !== undefined);
      }
    }
    expect(found).toBeGreaterThan(600);
  });
});
