import { describe, expect, it } from '@jest/globals';
import { HttpRoutes, json } from './http-routes.ts';

const handle = (): ReturnType<typeof json> => json(200, {});
const routes = new HttpRoutes([
  { method: 'GET', path: '/users', handle },
  { method: 'POST', path: '/users', handle },
  { method: 'GET', path: '/users/{id}', handle },
  { method: 'PUT', path: '/services/{name}/fault', handle },
]);

describe('HttpRoutes', () => {
  it.each([
    ['GET', '/users', 'GET /users', ''],
    ['HEAD', '/users', 'GET /users', ''],
    ['GET', '/users/7', 'GET /users/{id}', '7'],
    ['PUT', '/services/users-1/fault', 'PUT /services/{name}/fault', 'users-1'],
  ])('finds %s %s', (method, path, name, parameter) => {
    const match = routes.find(method, path);
    expect([match.operation?.name, match.parameter]).toEqual([name, parameter]);
  });

  it.each(['/', '/users/', '/users/7/8', '/services//fault', '/services/fault', '/user'])(
    'misses %s',
    (path) => {
      expect(routes.find('GET', path)).toEqual({ operation: undefined, parameter: '', allow: '' });
    },
  );

  it('names the possible methods when only the method is wrong', () => {
    expect(routes.find('DELETE', '/users').allow).toBe('GET, POST');
    expect(routes.find('DELETE', '/users/7').allow).toBe('GET');
  });
});
