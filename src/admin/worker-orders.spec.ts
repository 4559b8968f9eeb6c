import { describe, expect, it } from '@jest/globals';
import Fastify from 'fastify';
import { serveWorkers } from './worker-orders.ts';

async function restarted(restart?: (by: string) => void): Promise<number> {
  const server = Fastify();
  serveWorkers(server, restart === undefined ? {} : { restart });
  return (await server.inject({ method: 'POST', url: '/workers/restart' })).statusCode;
}

describe('an order to restart', () => {
  it('reaches whoever has started the workers', async () => {
    const by: string[] = [];
    expect(await restarted((one) => void by.push(one))).toBe(202);
    expect(by).toEqual(['order']);
  });

  it('is refused by a process that serves alone', async () => expect(await restarted()).toBe(409));
});
