import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  digestOf,
  readDigest,
  type Digest,
} from '../../src/policies/authentication/revocation/revocation-marks.ts';
import { REVOCATION_STREAM } from '../../src/policies/authentication/revocation/revocation-log.ts';
import { Revocations } from '../../src/policies/authentication/revocation/revocations.ts';
import { PubSub } from '../../src/store/pub-sub.ts';
import { closeRedis, createRedis, lineOf, pingAll, whenReady } from '../../src/store/redis.ts';
import { StoreGuard } from '../../src/store/store-guard.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';

const SILENT = { info: () => undefined, warn: () => undefined };
const OPTIONS = { onStoreError: 'closed', staleAfter: 3000, longest: 3_600_000, max: 1_000_000 } as const;
const later = () => Math.ceil(Date.now() / 1000) + 3000;

/** How many; a million is a matter of seconds, for `REVOCATIONS=1000000`. */
const COUNT = Number(process.env['REVOCATIONS'] ?? 20_000);
/** Writes them where they are, with digests that {@link textOf} tells as well. */
const MANY = `
for i = 1, tonumber(ARGV[1]) do
  redis.call('XADD', KEYS[1], '*', 'd', string.sub(redis.sha1hex(tostring(i)), 1, 16), 't', ARGV[2])
end`;

function textOf(index: number): string {
  return createHash('sha1').update(String(index)).digest('hex').slice(0, 16);
}

let server: RedisServer;
const ends: (() => void)[] = [];

beforeAll(async () => {
  server = await startRedis();
});
afterEach(() => {
  for (const end of ends.splice(0)) end();
});
afterAll(() => server.stop());

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}

/** What a process knows, and how it hears of it. */
async function replica(): Promise<Revocations> {
  const redis: Redis = createRedis(server.url, SILENT);
  const guard = new StoreGuard({ probe: () => pingAll(redis), budgetMs: 10_000, line: lineOf(redis) });
  const pubSub = new PubSub(redis);
  expect(await whenReady(redis, 10_000)).toBe(true);
  const revocations = new Revocations({ store: { redis, guard, pubSub } });
  revocations.use(OPTIONS);
  ends.push(() => {
    revocations.stop();
    guard.close();
    pubSub.close();
    closeRedis(redis);
  });
  return revocations;
}

const knows = (one: Revocations, jti: string): boolean => one.set.find(digestOf('jti', '', jti)) !== 0;

describe('revocations', () => {
  it('that a failover has lost come back from who knows them, and reach who is new', async () => {
    const [one, other] = [await replica(), await replica()];
    await until(() => one.state === 'fresh' && other.state === 'fresh');
    const revoke = (jti: string) => one.revoke([{ digest: digestOf('jti', '', jti), time: later() }]);
    expect(await revoke('before')).toBe('everywhere');
    await until(() => knows(other, 'before'));
    // A replica takes over that had heard of nothing yet.
    await server.kill();
    expect(knows(one, 'before') && knows(other, 'before')).toBe(true);
    expect(await revoke('meanwhile')).toBe('here');
    await server.restart();
    await until(() => one.ageMs < 1000 && other.ageMs < 1000);
    const late = await replica();
    await until(() => knows(late, 'before'));
    expect(await revoke('after')).toBe('everywhere');
    await until(() => knows(late, 'after') && knows(other, 'after'));
  });

  it('are loaded in bounded memory, however many there are', async () => {
    const redis = server.client();
    await redis.del(REVOCATION_STREAM);
    const time = later();
    await redis.eval(MANY, 1, REVOCATION_STREAM, COUNT, time);
    const before = process.memoryUsage().rss;
    const late = await replica();
    await until(() => late.state === 'fresh');
    const found = [1, COUNT, COUNT + 1].map((i) => late.set.find(readDigest(textOf(i)) as Digest) !== 0);
    expect(found).toEqual([true, true, false]);
    // 32 bytes each with room to grow, and a page of 5000 of the log at a time.
    expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(200);
  });
});
