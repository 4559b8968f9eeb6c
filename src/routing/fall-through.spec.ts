import { describe, expect, it } from '@jest/globals';
import { readConfig } from '../config/config-reader.ts';
import { compileRoutes, type TestRoute } from '../../test/support/routes.ts';
import { fallThroughs } from './fall-through.ts';
import { gatewaySchema } from '../pipeline/actions.ts';
import { RouteTable } from './route-table.ts';

const PUBLIC = [{ authentication: 'public' as const }];
const USERS = [{ authentication: { schemes: ['jwt' as const] } }];
const ADMINS = [{ ...USERS[0], authorization: { anyRole: ['admin'] } }];

function warningsOf(...routes: TestRoute[]): string[] {
  const source = readConfig(gatewaySchema, 'version: 1', 'gateway.yaml');
  return fallThroughs(new RouteTable(compileRoutes(routes)), source).map(
    ({ file, key, message }) => `${file} ${key}: ${message}`,
  );
}

const EVERYTHING: TestRoute = { path: '/*', id: 'all', policies: PUBLIC };

describe(fallThroughs, () => {
  it('tells with which methods a path can be called through an open route, and what to do', () => {
    expect(warningsOf(EVERYTHING, { path: '/admin', methods: ['GET', 'POST'], policies: ADMINS })).toEqual([
      'gateway.yaml:/admin match.methods: PUT, PATCH, DELETE, OPTIONS, every other method of /admin can be called ' +
        'through the route "all" (/*, gateway.yaml:all), which lets others in; leave `methods` out to have these ' +
        'policies hold for all of them, or declare a route for them',
    ]);
  });

  it('tells that a path with a slash is taken by an open route', () => {
    expect(warningsOf({ path: '/a/*', id: 'rest', policies: PUBLIC }, { path: '/a', policies: USERS })).toEqual([
      'gateway.yaml:/a match.path: /a/ is taken by the route "rest" (/a/*, gateway.yaml:rest), which lets others in; ' +
        'many servers read both paths as one',
    ]);
  }); // prettier-ignore

  it.each<[string, TestRoute, TestRoute]>([
    ['one for others who prove who they are', { path: '/*', policies: USERS }, { path: '/a', methods: ['GET'], policies: ADMINS }],
    ['one with a parameter', { path: '/{x}', policies: PUBLIC }, { path: '/a', methods: ['GET'], policies: USERS }],
    ['one above a wildcard', { path: '/*', policies: PUBLIC }, { path: '/a/*', methods: ['GET'], policies: USERS }],
    ['one that takes some methods', { path: '/*', methods: ['DELETE'], policies: PUBLIC }, { path: '/a', methods: ['GET'], policies: USERS }],
    ['one below a verb', { path: '/{x}', policies: PUBLIC }, { path: '/{x}:sign', methods: ['POST'], policies: USERS }],
    ['one of every host', { path: '/*', policies: PUBLIC }, { path: '/a', hosts: ['*.example.com'], methods: ['GET'], policies: USERS }],
    ['one without conditions', { path: '/*', policies: PUBLIC }, { path: '/a', headers: { x: '1' }, methods: ['GET'], policies: USERS }],
    ['a controller', { path: '/*', methods: ['GET'], door: 'handler', policies: PUBLIC }, { path: '/a', policies: USERS }],
  ])('finds %s', (_, open, closed) => {
    expect(warningsOf(open, closed)).toEqual([expect.stringContaining('can be called through')]);
    expect(warningsOf(closed, open)).toHaveLength(1);
  }); // prettier-ignore

  it.each<[string, TestRoute, TestRoute]>([
    ['the path takes all methods', EVERYTHING, { path: '/a', policies: USERS }],
    ['a route for the other methods is of the same path', { path: '/a', id: 'read', methods: ['GET'], policies: PUBLIC }, { path: '/a', methods: ['POST'], policies: USERS }],
    ['the other one lets in the same', { path: '/*', policies: ADMINS }, { path: '/a', methods: ['GET'], policies: ADMINS }],
    ['the other one lets in fewer', { path: '/*', policies: ADMINS }, { path: '/a', methods: ['GET'], policies: USERS }],
    ['the path is for everybody', EVERYTHING, { path: '/a', methods: ['GET'], policies: PUBLIC }],
    ['the path is a controller’s', EVERYTHING, { path: '/a', methods: ['GET'], door: 'handler', policies: USERS }],
    ['the other one is elsewhere', { path: '/b/*', policies: PUBLIC }, { path: '/a', methods: ['GET'], policies: USERS }],
    ['the rest has the same guard', { path: '/a/*', policies: USERS }, { path: '/a', policies: USERS }],
  ])('says nothing where %s', (_, other, route) => {
    expect(warningsOf(other, route)).toEqual([]);
  }); // prettier-ignore

  it('tells that a route of a host goes before one of none', () => {
    const hosted: TestRoute = { path: '/*', id: 'site', hosts: ['a.test'], policies: PUBLIC };
    const closed: TestRoute = { path: '/admin/*', policies: ADMINS };
    expect(warningsOf(hosted, closed)).toEqual([
      'gateway.yaml:/admin/* match.hosts: /admin/* of the host a.test is taken by the route "site" (/*, gateway.yaml:site), which ' +
        'lets others in; declare a route with that host for it, or give this one a higher `priority`',
    ]);
    expect(warningsOf(hosted, closed, { ...closed, id: 'own', hosts: ['a.test'] })).toEqual([]);
    expect(warningsOf(hosted, { ...closed, priority: 1 })).toEqual([]);
    expect(warningsOf(hosted, { ...closed, path: '/admin/x', door: 'handler' })).toEqual([]);
  }); // prettier-ignore

  it('places what stands in the file', () => {
    const text = `version: 1
upstreams: { users: { targets: ['http://127.0.0.1:1'] } }
routes:
  - id: keys
    match: { methods: [GET], path: /keys }
    upstream: users`;
    const source = readConfig(gatewaySchema, text, 'gateway.yaml');
    const closed = { path: '/keys', id: 'keys', methods: ['GET'], policies: USERS, origin: 'gateway.yaml:4:5' };
    const [warning] = fallThroughs(new RouteTable(compileRoutes([EVERYTHING, closed])), source);
    expect(warning).toMatchObject({ file: 'gateway.yaml', line: 5, column: 14, routeId: 'keys', key: 'routes[keys].match.methods' });
  }); // prettier-ignore
});
