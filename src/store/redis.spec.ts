import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Redis } from 'ioredis';
import { startRedis, type RedisServer } from '../../test/support/redis.ts';
import { closeRedis, createRedis, whenReady, type StoreLog } from './redis.ts';

class RecordingLog implements StoreLog {
  readonly lines: string[] = [];
  info(_fields: object, message: string): void {
    this.lines.push(`info ${message}`);
  }
  warn(fields: object, message: string): void {
    this.lines.push(`warn ${message} ${JSON.stringify(fields)}`);
  }
}

/** Resolves with the next attempt; `once` of node:events would reject with the error before it. */
function reconnecting(redis: Redis): Promise<void> {
  return new Promise((resolve) => redis.once('reconnecting', () => resolve()));
}

describe('createRedis', () => {
  let server: RedisServer | undefined;
  let redis: Redis | undefined;

  afterEach(async () => {
    if (redis !== undefined) closeRedis(redis);
    await server?.stop();
    redis = server = undefined;
  });

  async function connected(log: StoreLog): Promise<{ server: RedisServer; redis: Redis }> {
    server = await startRedis();
    redis = createRedis(server.url, log);
    expect(await whenReady(redis, 10_000)).toBe(true);
    return { server, redis };
  }

  it('fails a command at once while there is no connection', async () => {
    server = await startRedis();
    await server.kill();
    redis = createRedis(server.url, new RecordingLog());
    await expect(redis.get('x')).rejects.toThrow(/enableOfflineQueue/);
    expect(await whenReady(redis, 1)).toBe(false);
  });

  it('finds a server that comes later, and says so once for each change', async () => {
    const log = new RecordingLog();
    server = await startRedis();
    await server.kill();
    redis = createRedis(server.url, log);
    for (let attempt = 0; attempt < 3; attempt += 1) await reconnecting(redis);
    expect(log.lines).toHaveLength(1);
    expect(log.lines[0]).toMatch(/^warn Redis is not reachable: 127\.0\.0\.1:\d+: .*ECONNREFUSED/);
    await server.restart();
    expect(await whenReady(redis, 10_000)).toBe(true);
    expect(log.lines.slice(1)).toEqual([`info Redis is connected: 127.0.0.1:${String(server.port)}`]);
    expect(await redis.set('x', '1')).toBe('OK');
  });

  it('rejects what is under way when the server dies, and sends nothing twice', async () => {
    const log = new RecordingLog();
    const { server, redis } = await connected(log);
    server.pause();
    const fates = Promise.allSettled([redis.incr('n'), redis.incr('n')]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await server.kill();
    expect((await fates).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await server.restart();
    expect(await whenReady(redis, 10_000)).toBe(true);
    expect(await redis.get('n')).toBeNull();
    expect(log.lines.map((line) => line.slice(0, 4))).toEqual(['info', 'warn', 'info']);
  });

  it('sends the commands of one turn of the loop together, on every connection', async () => {
    const { server } = await connected(new RecordingLog());
    const packets: string[] = [];
    const relay = createServer((client) => {
      const target = connect(server.port, '127.0.0.1');
      client.on('data', (chunk) => packets.push(chunk.toString())).pipe(target);
      target.pipe(client);
      client.on('error', () => target.destroy()).on('close', () => target.destroy());
      target.on('error', () => client.destroy());
      sockets.push(client);
    });
    const sockets: Socket[] = [];
    await once(relay.listen(0, '127.0.0.1'), 'listening');
    const url = `redis://127.0.0.1:${String((relay.address() as AddressInfo).port)}`;
    const through = createRedis(url, new RecordingLog());
    try {
      for (let connection = 0; connection < 2; connection += 1) {
        expect(await whenReady(through, 10_000)).toBe(true);
        packets.length = 0;
        const values = await Promise.all([through.incr('n'), through.get('n'), through.del('n')]);
        expect(values).toEqual([1, '1', 1]);
        expect(packets).toHaveLength(1);
        const again = reconnecting(through);
        sockets.at(-1)?.destroy();
        await again;
      }
    } finally {
      closeRedis(through);
      relay.close();
    }
  });

  it('says nothing when it is closed on purpose', async () => {
    const log = new RecordingLog();
    const { redis } = await connected(log);
    const ended = once(redis, 'end');
    closeRedis(redis);
    await ended;
    expect(log.lines).toHaveLength(1);
  });

  it.each(['http://localhost', 'localhost:6379', 'redis://', ''])('refuses %j as REDIS_URL', (url) => {
    expect(() => createRedis(url, new RecordingLog())).toThrow(
      /^REDIS_URL: expected (?:redis:\/\/ or rediss:\/\/|a host name)/,
    );
  });

  it('keeps the password of the URL out of the log', async () => {
    const log = new RecordingLog();
    server = await startRedis();
    await server.kill();
    redis = createRedis(`redis://me:hunter2@127.0.0.1:${String(server.port)}/1`, log);
    await reconnecting(redis);
    expect(log.lines.join()).not.toContain('hunter2');
  });

  it('speaks TLS for rediss://', async () => {
    redis = createRedis('rediss://127.0.0.1:1', new RecordingLog());
    expect(redis.options.tls).toBeDefined();
  });
});
