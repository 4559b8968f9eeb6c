import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { describeRoutes, type ListedRoute } from '../../src/admin/route-listing.ts';
import { Snapshots } from '../../src/snapshot/snapshots.ts';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let routes: readonly ListedRoute[];

beforeAll(async () => {
  gateway = await startGateway({ config: readFileSync('config/gateway.yaml', 'utf8') });
  routes = describeRoutes(gateway.gateway.app.get(Snapshots).current.table.routes);
});
afterAll(() => gateway.stop());

describe('the inventory of both doors', () => {
  it('is the reviewed one', () => {
    const lines = routes.map(({ origin: _origin, ...route }) => Object.values(route).join(' | '));
    expect(lines).toMatchSnapshot();
  });

  it('is what operators see', async () => {
    expect((await call(`${gateway.adminUrl}/routes`)).json()).toEqual(routes);
  });

  it('says of every route who may call it', () => {
    for (const route of routes)
      expect(route.authentication).toMatch(/^(public|(jwt|apiKey)(,(jwt|apiKey))*)$/);
  });

  it('opens exactly these routes to everybody', () => {
    const open = routes.filter(({ authentication }) => authentication === 'public').map(({ id }) => id);
    expect(open.sort()).toEqual([
      'contracts.document',
      'contracts.file',
      'contracts.page',
      'feed',
      'health.live',
      'health.ready',
    ]);
  });

  it('has no two routes of one id', () => {
    expect(new Set(routes.map(({ id }) => id)).size).toBe(routes.length);
  });
});

describe('a path of the code-first door', () => {
  it('is never answered by a route of the other door, whatever the method', async () => {
    const paths = new Set(routes.filter(({ door }) => door === 'handler').map(({ path }) => path));
    expect(paths.size).toBeGreaterThanOrEqual(5);
    for (const path of paths) {
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        const answer = await call(gateway.url + path.replace(/\{\w+\}/g, '1'), { method });
        const [line] = await gateway.linesWhere((one) => one['id'] === answer.headers['x-request-id']);
        const answered = routes.find(({ id }) => id === line?.['route']);
        expect([method, path, answered?.door]).not.toEqual([method, path, 'proxy']);
        if (answered === undefined) expect([method, path, answer.status]).toEqual([method, path, 405]);
      }
    }
  });
});
