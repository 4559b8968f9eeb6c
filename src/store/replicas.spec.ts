import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { startRedis, type RedisServer } from '../../test/support/redis.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { closeRedis, createRedis, whenReady } from './redis.ts';
import { Replicas } from './replicas.ts';

const BEAT_MS = 40;
const KEY = 'gatehouse:replicas';
const SILENT = { info: () => undefined, warn: () => undefined };

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('Replicas', () => {
  let server: RedisServer;
  let plain: Redis;
  let connections: Redis[] = [];

  beforeAll(async () => {
    server = await startRedis();
    plain = server.client();
  });

  afterEach(() => {
    connections.forEach(closeRedis);
    connections = [];
  });

  afterAll(() => server.stop());

  async function join(): Promise<{ replicas: Replicas; crash: () => void }> {
    const redis = createRedis(server.url, SILENT);
    connections.push(redis);
    await whenReady(redis, 5000);
    const replicas = new Replicas(redis, { beatMs: BEAT_MS });
    replicas.onApplicationBootstrap();
    return { replicas, crash: () => closeRedis(redis) };
  }

  it('is alone without Redis', async () => {
    const replicas = new Replicas(undefined);
    replicas.onApplicationBootstrap();
    expect(replicas.count).toBe(1);
    await replicas.beforeApplicationShutdown();
  });

  it('counts those that are there, and neither who has left nor who has crashed', async () => {
    const all = await Promise.all([join(), join(), join()]);
    const counts = (): readonly number[] => all.map(({ replicas }) => replicas.count);
    await until(() => counts().join() === '3,3,3');
    expect(await plain.zcard(KEY)).toBe(3);
    await all[2]?.replicas.beforeApplicationShutdown();
    await until(() => counts().slice(0, 2).join() === '2,2');
    all[1]?.crash();
    await until(() => counts()[0] === 1);
  });

  it('keeps the last known count while Redis is silent or gone, and finds the others again', async () => {
    const all = await Promise.all([join(), join()]);
    const counts = (): string => all.map(({ replicas }) => replicas.count).join();
    await until(() => counts() === '2,2');
    server.pause();
    await new Promise((resolve) => setTimeout(resolve, 5 * BEAT_MS));
    expect(counts()).toBe('2,2');
    server.resume();
    await server.kill();
    await new Promise((resolve) => setTimeout(resolve, 5 * BEAT_MS));
    expect(counts()).toBe('2,2');
    await server.restart();
    await until(() => counts() === '2,2');
    while ((await plain.zcard(KEY).catch(() => 0)) < 2)
      await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it.each([
    ['FLUSHALL', () => plain.flushall()],
    ['another type under its key', () => plain.set(KEY, 'x')],
    ['a clock that went back', () => plain.zadd(KEY, String(Date.now() + 3_600_000), 'from-the-future')],
    ['a clock that went ahead', () => plain.zadd(KEY, '1', 'from-the-past')],
  ])('takes no harm from %s', async (_name, happen) => {
    const all = await Promise.all([join(), join()]);
    const counts = (): string => all.map(({ replicas }) => replicas.count).join();
    await until(() => counts() === '2,2');
    await plain.del(KEY);
    await happen();
    const ids = all.map(({ replicas }) => replicas.id).toSorted();
    const kept = async (): Promise<string> =>
      (await plain.zrange(KEY, '0', '-1').catch(() => [])).toSorted().join();
    while ((await kept()) !== ids.join()) {
      expect(counts()).toBe('2,2');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(counts()).toBe('2,2');
    expect(await plain.pttl(KEY)).toBeLessThanOrEqual(3 * BEAT_MS);
  });

  it('shows its count', async () => {
    const metrics = new Metrics();
    const { replicas } = await join();
    void new Replicas(undefined, { metrics });
    expect(await metrics.registry.getSingleMetricAsString('gatehouse_replicas')).toContain(
      'gatehouse_replicas 1',
    );
    await replicas.beforeApplicationShutdown();
  });

  it('keeps the last known count when what it hears is none', async () => {
    let said = 0;
    const confused = createServer((socket) =>
      socket.on('data', (data) => {
        const commands = data.toString('latin1').match(/\*\d+\r\n/g) ?? [];
        said += commands.length;
        socket.write('+OK\r\n'.repeat(commands.length));
      }),
    ).listen(0, '127.0.0.1');
    await once(confused, 'listening');
    const redis = createRedis(`redis://127.0.0.1:${(confused.address() as AddressInfo).port}`, SILENT);
    connections.push(redis);
    const replicas = new Replicas(redis, { beatMs: BEAT_MS });
    replicas.onApplicationBootstrap();
    await until(() => said > 5);
    expect(replicas.count).toBe(1);
    closeRedis(redis);
    confused.close();
  });
});
