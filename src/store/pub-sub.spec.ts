import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startRedis, type RedisServer } from '../../test/support/redis.ts';
import { PubSub } from './pub-sub.ts';
import { closeRedis, createRedis, whenReady } from './redis.ts';

const SILENT = { info: () => undefined, warn: () => undefined };

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('channels in one process', () => {
  it('reach those who listen, until they stop', async () => {
    const channels = new PubSub(undefined);
    const heard: string[] = [];
    const stop = channels.listen('a', (message) => heard.push(`1 ${message}`));
    channels.listen('a', () => {
      throw new Error('a broken listener');
    });
    channels.listen('a', (message) => heard.push(`3 ${message}`));
    await channels.publish('a', 'x');
    await channels.publish('b', 'y');
    stop();
    stop();
    await channels.publish('a', 'z');
    expect(heard).toEqual(['1 x', '3 x', '3 z']);
    expect(channels.channels).toBe(1);
    channels.close();
    expect(channels.channels).toBe(0);
  });
});

describe('channels over Redis', () => {
  let server: RedisServer;
  beforeEach(async () => {
    server = await startRedis();
  });
  afterEach(() => server.stop());

  it('reach other processes, also after Redis was gone', async () => {
    const redis = createRedis(server.url, SILENT);
    const sender = createRedis(server.url, SILENT);
    expect(await whenReady(redis, 5000)).toBe(true);
    const channels = new PubSub(redis);
    const heard: string[] = [];
    const stop = channels.listen('news', (message) => heard.push(message));
    const sayUntilHeard = async (text: string): Promise<void> => {
      while (!heard.includes(text)) {
        await new PubSub(sender).publish('news', text).catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    await sayUntilHeard('before');
    await server.kill();
    await server.restart();
    await sayUntilHeard('after');
    stop();
    await until(() => channels.channels === 0);
    channels.close();
    closeRedis(redis);
    closeRedis(sender);
  });

  it('say so when a message could not be handed over', async () => {
    const redis = createRedis(server.url, SILENT);
    await whenReady(redis, 5000);
    await server.kill();
    await until(() => redis.status !== 'ready');
    await expect(new PubSub(redis).publish('news', 'x')).rejects.toThrow();
    closeRedis(redis);
  });
});
