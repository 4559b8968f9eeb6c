import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { findRedis, redisPlace } from './demo-redis.ts';

describe('redisPlace', () => {
  it.each([
    ['redis://127.0.0.1:6379', { host: '127.0.0.1', port: 6379 }],
    ['rediss://user:secret@cache.example.com', { host: 'cache.example.com', port: 6379 }],
    ['redis://[::1]:7000/2', { host: '::1', port: 7000 }],
    ['redis+sentinel://a:1,b:2/main', undefined],
    ['localhost:6379', undefined],
    ['redis://', undefined],
  ])('of %s is %j', (url, place) => {
    expect(redisPlace(url)).toEqual(place);
  });
});

describe('findRedis', () => {
  it('finds who listens, and names the place where nobody does', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const url = `redis://:secret@127.0.0.1:${port}`;
    await findRedis(url);
    await new Promise((closed) => server.close(closed));
    const message = `no Redis at 127.0.0.1:${port} (ECONNREFUSED); start one, or do without REDIS_URL`;
    await expect(findRedis(url)).rejects.toThrow(message);
  });

  it('leaves addresses that it cannot read to the gateway', async () => {
    await expect(findRedis('nonsense')).resolves.toBeUndefined();
  });
});
