import { describe, expect, it } from '@jest/globals';
import { compileRoutes, defineRoute, type TestRoute } from '../../test/support/routes.ts';
import type { RouteDefinition } from './route.ts';
import { tableFaults } from './route-faults.ts';

function faultsOf(...routes: TestRoute[]) {
  const definitions = routes.map(defineRoute);
  return tableFaults(compileRoutes(routes), (route) => {
    const found = definitions.find((one) => one.id === route.id && one.origin === route.origin);
    if (found === undefined) throw new Error(`no definition of ${route.id}`);
    return found;
  }).map(({ definition, key, message }) => ({ origin: definition.origin, key: key.join('.'), message }));
}

describe('duplicate ids', () => {
  it('are faults of every route but the first', () => {
    expect(
      faultsOf(
        { path: '/a', id: 'one', origin: 'gateway.yaml:3:5' },
        { path: '/b', id: 'one', origin: 'gateway.yaml:9:5' },
      ),
    ).toEqual([
      { origin: 'gateway.yaml:9:5', key: 'id', message: 'the id "one" is taken by gateway.yaml:3:5' },
    ]);
  });

  it('are none when one handler has two paths', () => {
    const handler = { id: 'orders.list', door: 'handler', origin: 'OrdersController.list' } as const;
    expect(faultsOf({ path: '/orders', ...handler }, { path: '/v1/orders', ...handler })).toEqual([]);
  });
});

describe('two classes of one name', () => {
  it('are a fault: one would get the policies of the other', () => {
    const handler = { id: 'orders.list', door: 'handler', origin: 'OrdersController.list' } as const;
    const [one, other] = [
      { ...handler, path: '/orders', owner: class OrdersController {} },
      { ...handler, path: '/v1/orders', owner: class OrdersController {} },
    ];
    const definitions = [one, other].map(defineRoute);
    const routes = compileRoutes([one, other]);
    const faults = tableFaults(routes, (route) => definitions[routes.indexOf(route)] as RouteDefinition);
    expect(faults.map(({ message }) => message)).toEqual([
      'the id "orders.list" is taken by another class OrdersController; rename one of them',
    ]);
  });
});

describe('a YAML route that can never be reached', () => {
  const hidden = (...routes: TestRoute[]) =>
    faultsOf(...routes.map((route, index) => ({ id: `r${index}`, ...route }))).map(({ origin }) => origin);

  it('is told which route takes its requests', () => {
    const [fault] = faultsOf({ path: '/a/{x}', id: 'first' }, { path: '/a/{y}', id: 'second' });
    expect(fault).toEqual({
      origin: 'gateway.yaml:second',
      key: 'match',
      message:
        'can never be reached: gateway.yaml:first (route "first", /a/{x}) takes the same requests first',
    });
  });

  it.each<[string, TestRoute, TestRoute]>([
    ['the same pattern', { path: '/a' }, { path: '/a' }],
    ['the same methods', { path: '/a', methods: ['GET', 'POST'] }, { path: '/a', methods: ['POST'] }],
    ['HEAD after GET', { path: '/a', methods: ['GET'] }, { path: '/a', methods: ['HEAD'] }],
    ['the same hosts in another order', { path: '/a', hosts: ['x', 'y'] }, { path: '/a', hosts: ['y', 'x'] }],
    ['the same headers', { path: '/a/*', headers: { b: '1' } }, { path: '/a/*', headers: { b: '1' } }],
  ])('is found: %s', (_, first, second) => {
    expect(hidden(first, second)).toEqual(['gateway.yaml:r1']);
  });

  it.each<[string, TestRoute, TestRoute]>([
    ['another method', { path: '/a', methods: ['GET'] }, { path: '/a', methods: ['POST'] }],
    ['a method more', { path: '/a', methods: ['GET'] }, { path: '/a', methods: ['GET', 'POST'] }],
    ['all methods after one', { path: '/a', methods: ['GET'] }, { path: '/a' }],
    ['one method after all, because it is asked first', { path: '/a' }, { path: '/a', methods: ['GET'] }],
    ['another host', { path: '/a', hosts: ['x'] }, { path: '/a', hosts: ['y'] }],
    ['another header', { path: '/a', headers: { b: '1' } }, { path: '/a', headers: { b: '2' } }],
    ['a more specific pattern', { path: '/a/*' }, { path: '/a/{x}' }],
    ['a literal that looks like a parameter elsewhere', { path: '/a/{x}' }, { path: '/a/x' }],
  ])('is not seen in %s', (_, first, second) => {
    expect(hidden(first, second)).toEqual([]);
  });

  const handler = { id: 'orders.one', door: 'handler', origin: 'OrdersController.one' } as const;

  it('is found behind a controller, also when it is more specific or stands first', () => {
    const one = { path: '/orders/{id}', methods: ['GET'], ...handler };
    expect(hidden({ path: '/orders/special', methods: ['GET'] }, one)).toEqual(['gateway.yaml:r0']);
    expect(hidden(one, { path: '/orders/{other}', methods: ['HEAD'], hosts: ['x'] })).toEqual([
      'gateway.yaml:r1',
    ]);
  });

  it('is not seen behind a controller that leaves it something', () => {
    const one = { path: '/orders/{id}', methods: ['GET'], ...handler };
    expect(hidden(one, { path: '/orders/special' })).toEqual([]);
    expect(hidden(one, { path: '/orders/*', methods: ['GET'] })).toEqual([]);
    expect(hidden(one, { path: '/orders/{id}', methods: ['POST'] })).toEqual([]);
  });

  it('is never a controller: Fastify gives it its paths', () => {
    expect(faultsOf({ path: '/*', id: 'all' }, { path: '/orders', ...handler })).toEqual([]);
  });
});
