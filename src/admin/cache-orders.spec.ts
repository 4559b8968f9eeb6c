import { expect, it } from '@jest/globals';
import Fastify from 'fastify';
import { serveCache } from './cache-orders.ts';

it('takes no order, and says so, where there is no cache', async () => {
  const server = Fastify();
  serveCache(server, { cache: undefined });
  const shown = await server.inject('/cache');
  const purged = await server.inject({ method: 'POST', url: '/cache/purge', payload: { key: 'a/b' } });
  expect([shown.statusCode, purged.statusCode]).toEqual([200, 409]);
  expect(purged.json()).toEqual({ error: 'there is no cache in this process' });
});
