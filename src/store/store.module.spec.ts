import { afterEach, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { startRedis, type RedisServer } from '../../test/support/redis.ts';
import type { StoreGuard } from './store-guard.ts';
import { REDIS, STORE_GUARD, STORE_OBSERVER, StoreModule, type StoreOptions } from './store.module.ts';

const switches: string[] = [];
const failures: string[] = [];

@Module({
  providers: [
    {
      provide: STORE_OBSERVER,
      useValue: {
        switched: (state: string, use: string) => switches.push(`${use} ${state}`),
        failed: (why: string, use: string) => failures.push(`${use} ${why}`),
      },
    },
  ],
  exports: [STORE_OBSERVER],
})
class ObserverModule {}

describe('StoreModule', () => {
  let server: RedisServer | undefined;
  let app: TestingModule | undefined;
  const lines: string[] = [];
  const log = {
    info: (_fields: object, message: string) => void lines.push(`info ${message}`),
    warn: (_fields: object, message: string) => void lines.push(`warn ${message}`),
  };

  afterEach(async () => {
    await app?.close();
    await server?.stop();
    app = server = undefined;
    switches.length = failures.length = lines.length = 0;
  });

  async function boot(
    options: StoreOptions,
  ): Promise<{ redis: Redis | undefined; guard: StoreGuard | undefined }> {
    const imports = [{ module: ObserverModule, global: true }, StoreModule.forRoot(options)];
    app = await Test.createTestingModule({ imports }).compile();
    await app.init();
    return { redis: app.get(REDIS), guard: app.get(STORE_GUARD) };
  }

  it('keeps state in the process without REDIS_URL', async () => {
    expect(await boot({ redisUrl: undefined, log })).toEqual({ redis: undefined, guard: undefined });
  });

  it('is connected when the application is, and closes when it ends', async () => {
    server = await startRedis();
    const { redis, guard } = await boot({ redisUrl: server.url, log });
    expect(redis?.status).toBe('ready');
    const ended = once(redis ?? process, 'end');
    await app?.close();
    await ended;
    expect(guard?.available).toBe(false);
    expect(lines).toHaveLength(1);
  });

  it('boots without a Redis that is configured, and says so', async () => {
    server = await startRedis();
    await server.kill();
    const { redis } = await boot({ redisUrl: server.url, log });
    await expect(redis?.ping()).rejects.toThrow();
    expect(lines).toContain('warn Redis does not answer yet; starting without it');
  });

  it('tells the observer that Redis is used, and the log too when it is given up and when it is back', async () => {
    server = await startRedis();
    const { redis, guard } = await boot({ redisUrl: server.url, budgetMs: 250, log });
    server.pause();
    await Promise.all([1, 2, 3].map(() => guard?.run(async () => redis?.ping())));
    expect(switches).toEqual(['limits on', 'connection on', 'limits off']);
    expect(failures).toEqual(['limits late', 'limits late', 'limits late']);
    server.resume();
    while (guard?.available === false) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(switches).toEqual(['limits on', 'connection on', 'limits off', 'limits on']);
    expect(lines.slice(1)).toEqual([
      'warn Redis is left alone for limits until it does well again: no answer within 250 ms',
      'info Redis is used again for limits: a probe was answered in time',
    ]);
  });

  it('says in plain words that there is no connection', async () => {
    server = await startRedis();
    const { redis, guard } = await boot({ redisUrl: server.url, log });
    await server.kill();
    // A client that knows that it has no connection fails in the same turn.
    while (guard?.available === true) {
      await guard.run(async () => redis?.ping());
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(lines.slice(1)).toEqual([
      expect.stringMatching(/^warn Redis is not reachable: 127\.0\.0\.1:\d+: /),
    ]);
    expect(switches).toEqual(['limits on', 'connection on', 'connection off']);
    await server.restart();
    while (guard?.available === false) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(lines).toHaveLength(3);
  });

  it('does not boot with a URL of another protocol', async () => {
    await expect(boot({ redisUrl: 'http://127.0.0.1', log })).rejects.toThrow('REDIS_URL: expected redis://');
  });
});
