import { describe, expect, it } from '@jest/globals';
import { compileRoutes, createCompiler, type TestRoute } from '../../test/support/routes.ts';
import { randomFrom } from '../../test/support/random.ts';
import { createExchange } from '../../test/support/exchange.ts';
import { Candidates } from './candidates.ts';
import type { Route, ValueMatch } from './route.ts';
import { conditionsHold, searchFor, type Search } from './segment-tree.ts';

function candidatesOf(routes: readonly Route[]): Candidates {
  const candidates = new Candidates();
  for (const route of routes) candidates.add(route);
  candidates.seal();
  return candidates;
}

const ask = (headers: Record<string, string>, query = '') => searchFor({ ...createExchange({ target: `/${query}` }), request: { headers, rawHeaders: [] } as never }, '/'); // prettier-ignore

/** What a walk over all finds, whatever their number. */
function walked(routes: readonly Route[], search: Search): Route[] {
  return routes.filter((route) => conditionsHold(route, search)).sort((a, b) => weight(b) - weight(a));
}

function weight({ priority, match: { headers, query = {}, methods } }: Route): number {
  return (
    priority * 1000 +
    Number(methods.length > 0) * 100 +
    Object.keys(headers).length * 10 +
    Object.keys(query).length
  );
}

describe(Candidates, () => {
  it('has those with methods first, then those with the most conditions, and of equal ones the one that came first', () => {
    const routes = compileRoutes([
      { path: '/', id: 'all' },
      { path: '/', id: 'cookie', cookies: { a: '1' } },
      { path: '/', id: 'query', query: { a: '1' } },
      { path: '/', id: 'field', headers: { a: '1' } },
      { path: '/', id: 'fields', headers: { a: '1', b: { present: true } } },
      { path: '/', id: 'method', methods: ['GET'] },
      { path: '/', id: 'second', methods: ['GET', 'PUT'] },
      { path: '/', id: 'high', priority: 1 },
    ]);
    const ids = candidatesOf(routes).of(ask({})).map(({ id }) => id);
    expect(ids).toEqual(['high', 'method', 'second', 'fields', 'field', 'query', 'cookie', 'all']);
  }); // prettier-ignore

  const VALUES = ['1', '2', '3', '4', '5', ''];

  it.each([
    ['every route names a field', 1, 0.5],
    ['half name a field', 0.5, 0.5],
    ['most name a parameter', 0.2, 0.9],
    ['few name anything', 0.1, 0.1],
  ])('gives where %s those that a walk over all finds, in its order', (_, withField, withQuery) => {
    const random = randomFrom(withField * 10 + withQuery);
    const compiler = createCompiler();
    const pick = <One>(choices: readonly One[]): One => choices[Math.floor(random() * choices.length)] as One;
    for (let table = 0; table < 150; table += 1) {
      const routes = compileRoutes(
        Array.from({ length: 5 + Math.floor(random() * 40) }, (__, index): TestRoute => ({
          id: `r${index}`,
          path: '/',
          methods: pick([[], ['GET']]),
          priority: pick([0, 0, 0, 1]),
          headers: { ...(random() < withField && { tenant: pick<ValueMatch>([...VALUES, { present: true }, { prefix: '1' }]) }) },
          query: { ...(random() < withQuery && { b: pick(VALUES) }) },
        })),
        compiler,
      );
      const candidates = candidatesOf(routes);
      for (const query of ['', '?b=1', '?b=', '?b=1&b=2']) {
        for (const fields of [{}, { tenant: pick(VALUES) }, { tenant: 'none' }]) {
          const search = ask(fields as Record<string, string>, query);
          const given = candidates.of(search).filter((route) => conditionsHold(route, search));
          expect(given).toEqual(walked(routes, search));
        }
      }
    }
  }); // prettier-ignore

  it.each<[string, (one: number) => Partial<TestRoute>, Search, Search]>([
    ['field', (one) => ({ headers: { tenant: `${one}` } }), ask({ tenant: '7' }), ask({})],
    ['parameter', (one) => ({ query: { t: `${one}` } }), ask({}, '?t=7'), ask({}, '?t=x')],
    ['cookie', (one) => ({ cookies: { t: `${one}` } }), ask({ cookie: 'a=1; t=7' }), ask({ cookie: 't=1; t=2' })],
  ])('looks only at those of a %s, however many others there are', (_, conditions, asked, other) => {
    const many = Array.from({ length: 1000 }, (__, one): TestRoute => ({ path: '/', id: `r${one}`, ...conditions(one) }));
    const candidates = candidatesOf(compileRoutes([{ path: '/', id: 'rest' }, ...many]));
    expect(candidates.of(asked).map(({ id }) => id)).toEqual(['r7', 'rest']);
    expect(candidates.of(other).map(({ id }) => id)).toEqual(['rest']);
  }); // prettier-ignore
});
