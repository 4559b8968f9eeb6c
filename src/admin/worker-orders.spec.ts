import { describe, expect, it } from '@jest/globals';
import Fastify from 'fastify';
import type { RestartBegin } from './admin-orders.ts';
import { serveWorkers } from './worker-orders.ts';

async function restarted(restart?: (by: string) => Promise<RestartBegin>): Promise<[number, object]> {
  const server = Fastify();
  serveWorkers(server, restart === undefined ? {} : { restart });
  const answer = await server.inject({ method: 'POST', url: '/workers/restart' });
  return [answer.statusCode, answer.json()];
}

describe('an order to restart', () => {
  it('reaches whoever has started the workers', async () => {
    const by: string[] = [];
    const answer = await restarted(async (one) => (by.push(one), 'begun'));
    expect(answer).toEqual([202, { restarting: true, see: '/workers' }]);
    expect(by).toEqual(['order']);
  });

  it('hears that another one is under way, which does not begin anew', async () => {
    const answer = await restarted(async () => 'under-way');
    expect(answer).toEqual([
      202,
      expect.objectContaining({ note: expect.stringContaining('not replaced again') }),
    ]);
  });

  it('is refused by a gateway that ends, and by a process that serves alone', async () => {
    expect((await restarted(async () => 'leaving'))[0]).toBe(503);
    expect((await restarted())[0]).toBe(409);
  });
});
