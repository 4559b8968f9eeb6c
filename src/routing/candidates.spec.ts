import { describe, expect, it } from '@jest/globals';
import { compileRoutes, type TestRoute } from '../../test/support/routes.ts';
import { randomFrom } from '../../test/support/random.ts';
import { createExchange } from '../../test/support/exchange.ts';
import { Candidates } from './candidates.ts';
import type { Route } from './route.ts';

function candidatesOf(routes: readonly Route[]): Candidates {
  const candidates = new Candidates();
  for (const route of routes) candidates.add(route);
  candidates.seal();
  return candidates;
}

const ask = (host: string, headers: Record<string, string> = {}) => ({ ...createExchange({ target: '/' }), host, request: { headers } as never }); // prettier-ignore

/** What a walk over all finds, whatever their number. */
function walked(routes: readonly Route[], host: string, fields: Record<string, string>): Route[] {
  return routes.filter((route) => takes(route, host, fields)).sort((a, b) => weight(b) - weight(a));
}

function takes({ match: { hosts, headers } }: Route, host: string, fields: Record<string, string>): boolean {
  const isHost = hosts.some((one) => (one.startsWith('*.') ? host.endsWith(one.slice(1)) : one === host));
  return (
    (hosts.length === 0 || isHost) && Object.entries(headers).every(([name, value]) => fields[name] === value)
  );
}

function weight({ match: { hosts, headers, methods } }: Route): number {
  const byHost = hosts.length === 0 ? 0 : hosts.some((host) => !host.startsWith('*.')) ? 2000 : 1000;
  return byHost + Object.keys(headers).length * 2 + Number(methods.length > 0);
}

describe(Candidates, () => {
  it('has those with the most conditions first, and of equal ones the one that came first', () => {
    const routes = compileRoutes([
      { path: '/', id: 'all' },
      { path: '/', id: 'method', methods: ['GET'] },
      { path: '/', id: 'any', hosts: ['*.x'] },
      { path: '/', id: 'field', headers: { a: '1' } },
      { path: '/', id: 'host', hosts: ['a.x'] },
      { path: '/', id: 'second', hosts: ['b.x'] },
    ]);
    const ids = candidatesOf(routes).of(ask('a.x')).map(({ id }) => id);
    expect(ids).toEqual(['host', 'second', 'any', 'field', 'method', 'all']);
  }); // prettier-ignore

  const HOSTS = ['a', 'b', 'c', 'x.a', 'y.a', 'x.y.a'];
  const PATTERNS = [...HOSTS, '*.a', '*.y.a', '*.b'];
  const VALUES = ['1', '2', '3', '4', '5', ''];

  it.each<[string, number, readonly string[], number, number]>([
    ['every route names hosts', 0, HOSTS, 0, 0.2],
    ['most name hosts', 0.1, HOSTS, 0, 0.2],
    ['half name hosts', 0.5, HOSTS, 0.2, 0.2],
    ['most name patterns of hosts', 0.1, PATTERNS, 0, 0.2],
    ['every route names a field', 0.9, HOSTS, 1, 0.5],
    ['half name a field', 0.8, PATTERNS, 0.5, 0.5],
  ])('gives where %s those that a walk over all finds, in its order', (_, withoutHost, hosts, withField, withOther) => {
    const random = randomFrom(hosts.length + withField * 10);
    const pick = <One>(choices: readonly One[]): One => choices[Math.floor(random() * choices.length)] as One;
    for (let table = 0; table < 150; table += 1) {
      const routes = compileRoutes(
        Array.from({ length: 5 + Math.floor(random() * 40) }, (__, index): TestRoute => ({
          id: `r${index}`,
          path: '/',
          hosts: random() < withoutHost ? [] : [pick(hosts), pick(hosts)],
          methods: pick([[], ['GET']]),
          headers: { ...(random() < withField && { tenant: pick(VALUES) }), ...(random() < withOther && { b: '1' }) },
        })),
      );
      const candidates = candidatesOf(routes);
      for (const host of [...HOSTS, 'z', '.a', 'q.x.y.a', '']) {
        for (const fields of [{}, { b: '1' }, { tenant: pick(VALUES), b: '1' }, { tenant: 'none' }]) {
          const given = candidates.of(ask(host, fields)).filter((route) => takes(route, host, fields));
          expect(given).toEqual(walked(routes, host, fields));
        }
      }
    }
  }); // prettier-ignore

  it('looks only at those of a host or a field, however many others there are', () => {
    const numbers = Array.from({ length: 1000 }, (_, index) => index);
    const byHost = numbers.map((one): TestRoute => ({ path: '/', id: `h${one}`, hosts: [`h${one}.test`] }));
    const byField = numbers.map((one): TestRoute => ({
      path: '/',
      id: `f${one}`,
      headers: { tenant: `${one}` },
    }));
    const rest: TestRoute = { path: '/', id: 'rest' };
    const hosts = candidatesOf(compileRoutes([rest, ...byHost]));
    const fields = candidatesOf(compileRoutes([rest, ...byField]));
    expect(hosts.of(ask('h7.test')).map(({ id }) => id)).toEqual(['h7', 'rest']);
    expect(hosts.of(ask('other')).map(({ id }) => id)).toEqual(['rest']);
    expect(fields.of(ask('x', { tenant: '7' })).map(({ id }) => id)).toEqual(['f7', 'rest']);
    expect(fields.of(ask('x')).map(({ id }) => id)).toEqual(['rest']);
  });
});
