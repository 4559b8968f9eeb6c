import { describe, expect, it } from '@jest/globals';
import { useShop } from '../support/shop.ts';

const holder = useShop({
  routes: [
    { id: 'everything', match: { path: '/*' }, upstream: 'echo', policies: { authentication: 'public' } },
    { id: 'reports', match: { methods: ['GET', 'POST'], path: '/reports/{id}' }, upstream: 'echo' },
  ],
});

const OWNED: readonly [method: string, path: string][] = [
  ['POST', '/health/live'], ['DELETE', '/health/ready'], ['PUT', '/api/v1/orders'], ['DELETE', '/api/v1/orders'],
  ['PATCH', '/api/v1/orders/1'], ['DELETE', '/api/v1/orders/1'], ['OPTIONS', '/api/v1/orders'], ['POST', '/api/homepage'],
  ['PATCH', '/graphql'], ['OPTIONS', '/graphql'], ['TRACE', '/api/v1/orders'],
]; // prettier-ignore

describe('a path that a controller owns', () => {
  it.each(OWNED)('does not fall through to a public catch-all: %s %s', async (method, path) => {
    const answer = await holder.shop.call(path, { method });
    expect(answer.status).toBe(405);
    expect(answer.headers['allow']).toMatch(/GET|POST/);
    expect(answer.json()).toMatchObject({ code: 'method-not-allowed' });
    expect(holder.shop.echo.requests).toHaveLength(0);
  });

  it.each(['/api/v1/orders', '/api/v1/orders/1', '/api/homepage', '/graphql'])(
    'does not fall through without credentials either: GET %s',
    async (path) => {
      for (const spelling of [path, path.replace('api', '%61pi').replace('graph', 'gr%61ph')]) {
        expect((await holder.shop.call(spelling)).status).toBe(401);
      }
      expect(holder.shop.echo.requests).toHaveLength(0);
    },
  );

  it.each(['/api/v1/orders/', '/health/live/', '/graphql/', '/API/v1/orders'])(
    'is not another path that some server takes for the same: %s',
    async (path) => {
      const answer = await holder.shop.call(path);
      expect([200, 404]).toContain(answer.status);
    },
  );
});

describe('a method override', () => {
  it.each(['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'])(
    'is not believed: %s',
    async (name) => {
      const answer = await holder.shop.call('/reports/1', { method: 'DELETE', headers: { [name]: 'GET' } });
      expect(answer.json()).toMatchObject({ method: 'DELETE' });
      const get = await holder.shop.call('/reports/1', { headers: { [name]: 'DELETE' } });
      expect(get.status).toBe(401);
    },
  );
});
