import { describe, expect, it } from '@jest/globals';
import { readConfig } from '../config/config-reader.ts';
import { gatewaySchema } from '../pipeline/actions.ts';
import { quotasRoutes } from './quotas-route.ts';

const quota = { limit: 5, window: 'day' };
const keyed = { authentication: { schemes: ['apiKey'] } };
const route = (policies: object, path = '/a') => ({ id: 'a', match: { path }, respond: {}, policies });

function routesOf(config: object) {
  const { value } = readConfig(gatewaySchema, JSON.stringify({ version: 1, ...config }), 'gateway.yaml', {});
  return quotasRoutes(value).map(({ match, policies }) => [match.path, policies.at(-1)?.authentication]);
}

describe('the route of quotas', () => {
  it('is there as soon as a route has a quota, for whoever that route lets in', () => {
    expect(routesOf({ routes: [route(keyed)] })).toEqual([]);
    expect(routesOf({ routes: [route({ ...keyed, quota })] })).toEqual([['/quota', { schemes: ['apiKey'] }]]);
    expect(routesOf({ routes: [route({ ...keyed, quota: 'off' })] })).toEqual([]);
  });

  it('asks as the defaults do where they say so, and takes all that routes with quotas take else', () => {
    const jwt = { authentication: { schemes: ['jwt'] }, quota };
    const both = [route({ ...keyed, quota }), { ...route(jwt, '/b'), id: 'b' }];
    expect(routesOf({ routes: both })).toEqual([['/quota', { schemes: ['apiKey', 'jwt'] }]]);
    expect(routesOf({ defaults: { policies: keyed }, routes: both })).toEqual([
      ['/quota', expect.objectContaining(keyed.authentication)],
    ]);
  });

  it('gives way to a route of that path, unless the file wants both', () => {
    const routes = [route({ ...keyed, quota }, '/quota')];
    expect(routesOf({ routes })).toEqual([]);
    expect(routesOf({ routes, quotas: { path: '/left' } })).toHaveLength(1);
    expect(routesOf({ routes: [route({ ...keyed, quota })], quotas: 'off' })).toEqual([]);
  });

  it('is not there where nobody could ask: who is counted by address has no name to ask with', () => {
    expect(
      routesOf({ routes: [route({ authentication: 'public', quota: { ...quota, key: 'global' } })] }),
    ).toEqual([]);
  });
});
