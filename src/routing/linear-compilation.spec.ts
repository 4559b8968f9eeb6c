import { forwardKindOf } from '../../test/support/routes.ts';
import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { compileRoutes, defineRoute, type TestRoute } from '../../test/support/routes.ts';
import { readConfig } from '../config/config-reader.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { UpstreamRegistry } from '../upstreams/upstream-registry.ts';
import { ambiguities } from './ambiguous-routes.ts';
import { fallThroughs } from './fall-through.ts';
import { FaultPlaces } from './fault-places.ts';
import { gatewaySchema } from '../pipeline/actions.ts';
import { tableFaults } from './route-faults.ts';
import { RouteTable } from './route-table.ts';
import type { Route } from './route.ts';
import { buildRouteTable } from './table-builder.ts';

const FEW = 150;
/** Twice as many routes may cost twice the work, and a little for those that are there in any case. */
const LINEAR = 2.2;

const USERS = [{ authentication: { schemes: ['jwt' as const] } }];
const PUBLIC = [{ authentication: 'public' as const }];

// Routes that take the same requests are faults, with which nobody gets as far as to look for what falls through.
const REPEATED = 'the same route again and again';

/** Ways in which a table grows. */
const GROWING: [string, (index: number) => TestRoute][] = [
  ['paths', (index) => ({ path: `/r${index}/*` })],
  ['paths below parameters', (index) => ({ path: `/{x}/{y}/r${index}/{z}` })],
  ['methods of paths', (index) => ({ path: `/r${index >> 1}`, methods: index % 2 ? ['GET'] : ['POST'] })],
  ['hosts of one path', (index) => ({ path: '/a', hosts: [`h${index}.test`] })],
  ['patterns of hosts of one path', (index) => ({ path: '/a/*', hosts: [`*.h${index}.test`] })],
  ['values of a field of one path', (index) => ({ path: '/a', headers: { tenant: `${index}` } })],
  ['values of a parameter of one path', (index) => ({ path: '/a', query: { tenant: `${index}` } })],
  ['equal conditions of one path', (index) => ({ path: '/a', headers: { [`x${index}`]: '1' } })],
  ['priorities', (index) => ({ path: `/r${index}/*`, priority: index })],
  [REPEATED, () => ({ path: '/a', methods: ['GET'] })],
  ['verbs of paths', (index) => ({ path: `/r${index}/{x}:go` })],
  ['controllers', (index) => ({ path: `/r${index}/{x}`, methods: ['GET'], door: 'handler' })],
  ['controllers and paths', (index) => (index % 2 ? { path: `/r${index >> 1}/{x}`, door: 'handler' } : { path: `/r${index >> 1}/b` })],
]; // prettier-ignore

/** Routes that count how often somebody looks at one of their fields. */
function watched(count: number, routeOf: (index: number) => TestRoute) {
  let looks = 0;
  const watch = (route: Route): Route =>
    new Proxy({ ...route }, { get: (target, key) => ((looks += 1), target[key as keyof Route]) });
  const definitions = Array.from({ length: count }, (_, index): TestRoute => {
    const policies = index % 3 === 0 ? PUBLIC : USERS;
    return { id: `r${index}`, policies, ...routeOf(index) };
  });
  const routes = compileRoutes([{ path: '/*', id: 'rest', policies: PUBLIC }, ...definitions]).map(watch);
  return { routes, looks: () => looks };
}

function growth(routeOf: (index: number) => TestRoute, work: (routes: readonly Route[]) => unknown): number {
  const looksFor = (count: number): number => {
    const { routes, looks } = watched(count, routeOf);
    work(routes);
    return looks();
  };
  return looksFor(2 * FEW) / looksFor(FEW);
}

const NO_FILE = readConfig(gatewaySchema, 'version: 1', 'gateway.yaml');
const definitionOf = ({ id }: Route) => defineRoute({ path: '/', id });

describe.each(GROWING)('with twice as many %s', (growing, routeOf) => {
  it.each<[string, (routes: readonly Route[]) => unknown]>([
    ['faults of the whole table are looked for', (routes) => tableFaults(routes, definitionOf)],
    ['the table is built', (routes) => new RouteTable(routes)],
  ])('%s in twice as many steps', (_, work) => {
    expect(growth(routeOf, work)).toBeLessThan(LINEAR);
  });

  if (growing === REPEATED) return;
  it('paths that fall through are looked for in twice as many steps', () => {
    const work = (routes: readonly Route[]) => fallThroughs(new RouteTable(routes), NO_FILE);
    // Of routes that ask for different fields, a request without any has to ask all.
    if (growing !== 'equal conditions of one path') expect(growth(routeOf, work)).toBeLessThan(LINEAR);
  });

  it('what only the order decides is looked for in twice as many steps', () => {
    const work = (routes: readonly Route[]) => ambiguities(new RouteTable(routes), NO_FILE);
    expect(growth(routeOf, work)).toBeLessThan(LINEAR);
  });
});

describe('a route among many', () => {
  const [, ...patterns] = GROWING.slice(0, 7);

  it.each([GROWING[0] as (typeof GROWING)[number], ...patterns])('is found in as many steps with twice as many %s', (_, routeOf) => {
    const looksAt = (count: number): number => {
      const { routes, looks } = watched(count, routeOf);
      const table = new RouteTable(routes);
      const { path, hosts = [], headers = {}, query = {}, methods = ['GET'] } = routeOf(count - 1);
      const before = looks();
      const host = (hosts[0] ?? '').replace('*', 'a');
      expect(table.peek({ path, host, method: methods[0] as string, query: `?tenant=${String(query['tenant'])}`, request: { headers } as never })?.id).toBe(`r${count - 1}`);
      return looks() - before;
    };
    expect(looksAt(2 * FEW)).toBe(looksAt(FEW));
  }); // prettier-ignore
});

describe('twice as many faults', () => {
  function looksFor(count: number): number {
    const routes = Array.from({ length: count }, (_, index) => `  - { id: r${index}, match: { path: /r${index} }, upstream: servise${index} }\n`);
    const upstreams = Array.from({ length: count }, (_, index) => `  service${index}x: { targets: ['http://127.0.0.1:1'] }\n`);
    const text = `version: 1\nupstreams:\n${upstreams.join('')}routes:\n${routes.join('')}`;
    const source = readConfig(gatewaySchema, text, 'gateway.yaml', {});
    let looks = 0;
    const { locate } = source.document;
    const document = { ...source.document, locate: (path: Parameters<typeof locate>[0]) => ((looks += 1), locate(path)) };
    const places = new FaultPlaces({ ...source, document });
    for (const [index, { id }] of source.value.routes.entries()) {
      const definition = { id, origin: places.originOf(index), upstream: 'users' };
      expect(places.place({ definition, key: ['upstream'], message: '' }).line).toBe(count + 4 + index);
    }
    return looks;
  } // prettier-ignore

  it('are placed in the file in twice as many steps', () => {
    expect(looksFor(2 * FEW) / looksFor(FEW)).toBeLessThan(LINEAR);
  });
});

describe('10 000 of everything that a file can have many of', () => {
  const TEN_THOUSAND = Array.from({ length: 10_000 }, (_, index) => index);

  it('are compiled, and all their faults are told', () => {
    const wrong = TEN_THOUSAND.map((one) => `  - { id: r${one}, match: { path: /r${one} }, upstream: servise${one} }\n`);
    const names = TEN_THOUSAND.map((one) => `  service${one}: { targets: ['http://127.0.0.1:1'], circuitBreaker: off }\n`);
    const text = `version: 1\nupstreams:\n${names.join('')}routes:\n${wrong.join('')}`;
    const source = readConfig(gatewaySchema, text, 'gateway.yaml', {});
    const metrics = new Metrics();
    const upstreams = new UpstreamRegistry({}, pino({ level: 'silent' }), metrics);
    const parts = { source, upstreams, metrics, controllers: [], definitions: [], factories: [], actions: [forwardKindOf(metrics)] };
    // Each leads nowhere, and says nothing about who may call it.
    expect(() => buildRouteTable(parts)).toThrow(/20000 faults in gateway.yaml$/);
  }); // prettier-ignore
});
