import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { createExchange, type TestRequest } from '../../test/support/exchange.ts';
import { compileRoutes, type TestRoute } from '../../test/support/routes.ts';
import { Problem } from '../problems/problem.ts';
import { RouteTable } from './route-table.ts';

const tableOf = (...routes: TestRoute[]) => new RouteTable(compileRoutes(routes));

function find(table: RouteTable, target: string, more: TestRequest = {}) {
  const exchange = createExchange({ target, ...more });
  const route = table.match(exchange);
  expect(exchange.route).toBe(route);
  return { id: route.id, params: exchange.params };
}

function refusal(table: RouteTable, target: string, more: TestRequest = {}): Problem {
  try {
    find(table, target, more);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error(`${target} was matched`);
}

describe('RouteTable, by path', () => {
  const table = tableOf(
    { path: '/' },
    { path: '/users' },
    { path: '/users/me' },
    { path: '/users/{id}' },
    { path: '/users/{id}/orders/{order}' },
    { path: '/users/*' },
    { path: '/files/{name}/*' },
  );

  it.each([
    ['/', '/', []],
    ['/users', '/users', []],
    ['/users/me', '/users/me', []],
    ['/users/7', '/users/{id}', ['7']],
    ['/users/a%20b', '/users/{id}', ['a%20b']],
    ['/users/7/orders/9', '/users/{id}/orders/{order}', ['7', '9']],
    ['/users/7/orders', '/users/*', ['7/orders']],
    ['/users/me/orders', '/users/*', ['me/orders']],
    ['/users/', '/users/*', ['']],
    ['/users/7/orders/9/x/', '/users/*', ['7/orders/9/x/']],
    ['/files/a', '/files/{name}/*', ['a', '']],
    ['/files/a/b/c', '/files/{name}/*', ['a', 'b/c']],
    ['/users?id=1', '/users', []],
  ])('finds for %s the route %s', (target, id, params) => {
    expect(find(table, target)).toEqual({ id, params });
  });

  it.each(['/nothing', '/user', '/users%20', '/files', '/USERS', '/users/7/', '/users/me/'])(
    'finds none for %s',
    (target) => {
      expect(refusal(table, target).code).toBe('route-not-found');
    },
  );

  it('goes back to a parameter when a literal leads nowhere', () => {
    const deep = tableOf({ path: '/a/b/c' }, { path: '/a/{x}/d' }, { path: '/{y}/b/e' });
    expect(find(deep, '/a/b/d')).toEqual({ id: '/a/{x}/d', params: ['b'] });
    expect(find(deep, '/a/b/e')).toEqual({ id: '/{y}/b/e', params: ['a'] });
  });

  it('lets a rest of zero segments match', () => {
    expect(find(tableOf({ path: '/a/*' }), '/a')).toEqual({ id: '/a/*', params: [''] });
  });

  it('takes the exact pattern before the rest of none', () => {
    expect(find(tableOf({ path: '/a/*' }, { path: '/a' }), '/a').id).toBe('/a');
  });

  it('does not trip over names of Object.prototype', () => {
    expect(refusal(table, '/constructor').code).toBe('route-not-found');
    expect(find(table, '/users/__proto__').params).toEqual(['__proto__']);
  });
});

describe('RouteTable, by method', () => {
  const table = tableOf(
    { path: '/things', id: 'list', methods: ['GET'] },
    { path: '/things', id: 'create', methods: ['POST'] },
    { path: '/things/{id}', id: 'one', methods: ['GET', 'DELETE'] },
  );

  it('finds the route of each method', () => {
    expect(find(table, '/things').id).toBe('list');
    expect(find(table, '/things', { method: 'POST' }).id).toBe('create');
  });

  it('takes HEAD where GET is taken', () => {
    expect(find(table, '/things', { method: 'HEAD' }).id).toBe('list');
  });

  it('answers 405 and lists every method of the path', () => {
    const { code, headers } = refusal(table, '/things', { method: 'PUT' });
    expect([code, headers]).toEqual(['method-not-allowed', { allow: 'GET, HEAD, POST' }]);
    expect(refusal(table, '/things/1', { method: 'POST' }).headers).toEqual({ allow: 'DELETE, GET, HEAD' });
  });

  it('goes back to a less specific pattern that takes the method', () => {
    const loose = tableOf(
      { path: '/things/special', methods: ['GET'] },
      { path: '/things/{id}', methods: ['PUT'] },
      { path: '/*', methods: ['POST'] },
    );
    expect(find(loose, '/things/special', { method: 'PUT' })).toEqual({
      id: '/things/{id}',
      params: ['special'],
    });
    expect(find(loose, '/things/special', { method: 'POST' })).toEqual({
      id: '/*',
      params: ['things/special'],
    });
    expect(refusal(loose, '/things/special', { method: 'PATCH' }).headers).toEqual({
      allow: 'GET, HEAD, POST, PUT',
    });
  });

  it('prefers the route that names the method to one that takes all', () => {
    const both = tableOf({ path: '/a', id: 'all' }, { path: '/a', id: 'get', methods: ['GET'] });
    expect(find(both, '/a').id).toBe('get');
    expect(find(both, '/a', { method: 'PATCH' }).id).toBe('all');
  });
});

describe('RouteTable, over both doors', () => {
  const table = tableOf(
    { path: '/orders', id: 'orders.list', door: 'handler', methods: ['GET'] },
    { path: '/orders/{id}', id: 'orders.one', door: 'handler', methods: ['GET'] },
    { path: '/orders/*', id: 'legacy' },
    { path: '/*', id: 'everything' },
  );

  it.each(['/orders', '/orders/1'])(
    'never lets %s, which a controller owns, fall to a catch-all',
    (target) => {
      const { code, headers } = refusal(table, target, { method: 'DELETE' });
      expect([code, headers]).toEqual(['method-not-allowed', { allow: 'GET, HEAD' }]);
    },
  );

  it('lets a catch-all have what no controller owns', () => {
    expect(find(table, '/orders/1/items', { method: 'DELETE' }).id).toBe('legacy');
    expect(find(table, '/other').id).toBe('everything');
  });

  it('lets a YAML route of the very same pattern add a method', () => {
    const same = tableOf(
      { path: '/orders', id: 'orders.list', door: 'handler', methods: ['GET'] },
      { path: '/orders', id: 'create', methods: ['POST'] },
    );
    expect(find(same, '/orders', { method: 'POST' }).id).toBe('create');
    expect(refusal(same, '/orders', { method: 'PUT' }).headers).toEqual({ allow: 'GET, HEAD, POST' });
  });
});

describe('RouteTable, by host and header', () => {
  const table = tableOf(
    { path: '/a', id: 'any' },
    { path: '/a', id: 'wild', hosts: ['*.example.com'] },
    { path: '/a', id: 'api', hosts: ['api.example.com', 'api.example.org'] },
    { path: '/a', id: 'beta', hosts: ['api.example.com'], headers: { 'x-beta': '1' } },
  );

  it.each([
    ['api.example.com', 'api'],
    ['api.example.org', 'api'],
    ['www.example.com', 'wild'],
    ['a.b.example.com', 'wild'],
    ['example.com', 'any'],
    ['badexample.com', 'any'],
    ['api.example.com.evil.test', 'any'],
    ['', 'any'],
  ])('finds for the host %s the route %s', (host, id) => {
    expect(find(table, '/a', { host }).id).toBe(id);
  });

  it('takes the route with more conditions when they hold', () => {
    const host = 'api.example.com';
    expect(find(table, '/a', { host, headers: ['X-Beta', '1'] }).id).toBe('beta');
    expect(find(table, '/a', { host, headers: ['X-Beta', '2'] }).id).toBe('api');
    expect(find(table, '/a', { host, headers: ['X-Beta', '1', 'X-Beta', '1'] }).id).toBe('api');
  });

  it('goes back to a less specific path when the conditions do not hold', () => {
    const back = tableOf(
      { path: '/a/b', headers: { 'x-v': '2' } },
      { path: '/a/{id}', hosts: ['h'] },
      { path: '/a/*' },
    );
    expect(find(back, '/a/b')).toEqual({ id: '/a/*', params: ['b'] });
    expect(find(back, '/a/b', { host: 'h' })).toEqual({ id: '/a/{id}', params: ['b'] });
  });

  it('answers 404, not 405, for a route of another host', () => {
    const { code } = refusal(tableOf({ path: '/a', hosts: ['h'], methods: ['GET'] }), '/a', {
      method: 'PUT',
    });
    expect(code).toBe('route-not-found');
  });
});

describe('RouteTable, its cost', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  // Every step of the search asks one map for the next node, so these calls count the nodes that are visited.
  function nodesVisited(table: RouteTable, target: string): number {
    const exchange = createExchange({ target });
    const get = jest.spyOn(Map.prototype, 'get');
    const route = table.match(exchange);
    const visited = get.mock.calls.length;
    get.mockRestore();
    expect(route.id).toBe('last');
    return visited;
  }

  const tableOfSize = (size: number) =>
    new RouteTable(
      compileRoutes([
        ...Array.from({ length: size - 1 }, (_, i) => ({ path: `/service-${i}/{id}/items`, id: `r${i}` })),
        { path: '/service-x/{id}/items', id: 'last' },
      ]),
    );

  it('does not grow with the number of routes', () => {
    const [few, many] = [tableOfSize(10), tableOfSize(10_000)];
    const target = '/service-x/7/items';
    expect(nodesVisited(few, target)).toBe(3);
    expect(nodesVisited(many, target)).toBe(nodesVisited(few, target));
  });
});

describe('RouteTable.byId', () => {
  it('finds a route by its id', () => {
    const table = tableOf({ path: '/a', id: 'a' }, { path: '/b', id: 'b' });
    expect(table.byId('b')?.pattern.source).toBe('/b');
    expect(table.byId('c')).toBeUndefined();
  });
});

describe('RouteTable, by verb', () => {
  const table = tableOf(
    { path: '/orders/{id}' },
    { path: '/orders/{id}:cancel', methods: ['POST'] },
    { path: '/files/*' },
    { path: '/files/*:sign' },
  );

  it.each([
    ['POST', '/orders/7:cancel', '/orders/{id}:cancel', ['7']],
    ['POST', '/orders/a:b:cancel', '/orders/{id}:cancel', ['a:b']],
    ['GET', '/orders/7:cancel', '/orders/{id}', ['7:cancel']],
    ['POST', '/orders/7:cancelled', '/orders/{id}', ['7:cancelled']],
    ['POST', '/orders/:cancel', '/orders/{id}', [':cancel']],
    ['GET', '/files/a/b:sign', '/files/*:sign', ['a/b']],
    ['GET', '/files/a/b', '/files/*', ['a/b']],
  ])('%s %s finds %s', (method, target, id, params) => {
    expect(find(table, target, { method })).toEqual({ id, params });
  });

  it('swaps all routes at once', () => {
    const changing = tableOf({ path: '/old' });
    changing.replace(compileRoutes([{ path: '/new' }]));
    expect(find(changing, '/new').id).toBe('/new');
    expect(refusal(changing, '/old').code).toBe('route-not-found');
    expect(changing.routes.map(({ id }) => id)).toEqual(['/new']);
  });
});
