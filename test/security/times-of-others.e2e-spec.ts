import { describe, expect, it } from '@jest/globals';
import { call } from '../support/client.ts';
import { API_KEY, useShop } from '../support/shop.ts';

// Of all routes, those of controllers included.
const holder = useShop({
  policies: { serverTiming: { for: { anyRole: ['admin'] } } },
  routes: [
    { id: 'stored', match: { path: '/stored' }, upstream: 'echo', policies: { cache: { ttl: '1m', scope: 'public' } } },
    { id: 'parts', match: { path: '/parts' }, aggregate: { calls: { part: { upstream: 'echo', path: '/p' } } } },
    {
      id: 'storedParts',
      match: { path: '/stored-parts' },
      aggregate: { calls: { part: { upstream: 'echo', path: '/p' } } },
      policies: { cache: { ttl: '1m', scope: 'public' } },
    },
  ],
}); // prettier-ignore

const PATHS = [
  '/stored',
  '/parts',
  '/stored-parts',
  '/api/homepage',
  '/api/v1/orders',
  '/graphql?query={__typename}',
];

describe('where the time of a request went', () => {
  it.each(PATHS)('is told at %s to who may see it, and to nobody else: at once, stored, refused', async (path) => {
    const { shop } = holder;
    shop.echo.listener = (_request, response) => {
      const fields = { 'content-type': 'application/json', 'cache-control': 'public, max-age=60' };
      setTimeout(() => response.writeHead(200, fields).end('{}'), 20);
    };
    for (let turn = 0; turn < 2; turn += 1) {
      const [admin, ...others] = await Promise.all([
        shop.call(path, { as: 'admin' }),
        shop.call(path, { as: 'user' }),
        shop.call(path, { apiKey: API_KEY }),
        call(shop.gateway.url + path),
      ]);
      expect(admin.headers['server-timing']).toContain('total;dur=');
      expect(others.map(({ headers }) => headers['server-timing'])).toEqual([undefined, undefined, undefined]);
    }
  });

  it('is in the last record of a view that is told section by section for the same callers', async () => {
    const headers = { accept: 'application/x-ndjson' };
    const [admin, user] = await Promise.all([
      holder.shop.call('/api/homepage', { as: 'admin', headers }),
      holder.shop.call('/api/homepage', { as: 'user', headers }),
    ]);
    expect(admin.text).toContain('"timing"');
    expect(user.text).toContain('"done"');
    expect(user.text).not.toContain('"timing"');
  });
}); // prettier-ignore
