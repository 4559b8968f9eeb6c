import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import { RedisRolloutStore } from '../../src/canary/rollout-store.redis.ts';
import { BEGINNING } from '../../src/canary/rollout-state.ts';
import { Tally } from '../../src/canary/tally.ts';
import { ApiKeyRegistry } from '../../src/policies/authentication/api-keys/api-key.registry.ts';
import { RedisApiKeyStore } from '../../src/policies/authentication/api-keys/api-key.store.redis.ts';
import { ApiKeyUsage } from '../../src/policies/authentication/api-keys/api-key.usage.ts';
import { KnownKey } from '../../src/policies/authentication/api-keys/known-key.ts';
import { KeyRing } from '../../src/policies/authentication/login/key-ring.ts';
import { SeenOnce } from '../../src/policies/authentication/login/seen-once.ts';
import { RedisSessions } from '../../src/policies/authentication/login/session-store.ts';
import type { Session } from '../../src/policies/authentication/login/session.ts';
import { SeenProofs } from '../../src/policies/authentication/proof-of-possession/seen-proofs.ts';
import { digestOf } from '../../src/policies/authentication/revocation/revocation-marks.ts';
import { Revocations } from '../../src/policies/authentication/revocation/revocations.ts';
import { RedisTokenBucket } from '../../src/policies/rate-limit/token-bucket.redis.ts';
import { RedisKeyStore } from '../../src/signing/key-store.redis.ts';
import { KeySeal } from '../../src/signing/sealed-key.ts';
import { generatedKey } from '../../src/signing/signing-key.ts';
import { PubSub } from '../../src/store/pub-sub.ts';
import { closeRedis, createRedis, lineOf, pingAll, whenReady } from '../../src/store/redis.ts';
import { mastersOf } from '../../src/store/redis-cluster.ts';
import { SharedTexts } from '../../src/store/shared-texts.ts';
import { STORE_UNAVAILABLE, StoreGuard } from '../../src/store/store-guard.ts';
import { startCluster, type RedisGroup } from '../support/redis-group.ts';

const HOUR = 3_600_000;
let group: RedisGroup;
let redis: Redis;
let guard: StoreGuard;
let pubSub: PubSub;
const lines: string[] = [];
const log = {
  info: (_fields: object, message: string) => void lines.push(message),
  warn: (_fields: object, message: string) => void lines.push(message),
};

async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await sleep(5);
}

beforeAll(async () => {
  group = await startCluster();
  redis = createRedis(group.url, log);
  expect(await whenReady(redis, 10_000)).toBe(true);
  await until(() => mastersOf(redis).every(({ status }) => status === 'ready'));
  guard = new StoreGuard({ probe: () => pingAll(redis), budgetMs: 10_000, line: lineOf(redis) });
  pubSub = new PubSub(redis);
});

afterAll(async () => {
  guard.close();
  pubSub.close();
  closeRedis(redis);
  await group.stop();
});

/** Names that lie on all three nodes. */
const NAMES = Array.from({ length: 12 }, (_, index) => `name-${index}`);

describe('a Redis Cluster', () => {
  it('counts limits whose keys are anywhere, taken in one turn', async () => {
    const buckets = new RedisTokenBucket(redis, guard);
    const rule = { rate: 1, perMs: HOUR, burst: 2 };
    for (const allowed of [true, true, false]) {
      const all = await Promise.all(NAMES.map((name) => buckets.take(name, rule, 1)));
      expect(all.map((one) => one !== STORE_UNAVAILABLE && one.allowed)).toEqual(NAMES.map(() => allowed));
    }
    const kept = await Promise.all(mastersOf(redis).map((node) => node.dbsize()));
    expect(kept.every((count) => count > 0)).toBe(true);
  });

  it('keeps API keys: issued, used, listed, rotated, changed, revoked', async () => {
    const registry = new ApiKeyRegistry(redis, pubSub);
    const store = new RedisApiKeyStore(redis, guard);
    const all = await Promise.all(
      NAMES.map((clientId) =>
        registry.create(
          { clientId, roles: [], permissions: [], scopes: [], expiresAt: Date.now() + HOUR },
          HOUR,
        ),
      ),
    );
    const usage = new ApiKeyUsage(redis);
    for (const { sha256 } of all) {
      const record = await store.find(sha256);
      expect(record).toMatchObject({ sha256, status: 'active' });
      if (record !== undefined) usage.note(new KnownKey(record), Date.now());
    }
    await usage.flush();
    const { keys } = await registry.listing.list({ limit: 100 });
    expect(keys.map(({ clientId }) => clientId).toSorted()).toEqual(NAMES.toSorted());
    expect(keys.every(({ lastUsedAt }) => lastUsedAt !== undefined)).toBe(true);
    const [first, second] = all as [(typeof all)[0], (typeof all)[0]];
    expect(await registry.listing.named(first.sha256.slice(0, 12))).toBe(first.sha256);
    const rotated = await registry.rotate(first.sha256, { overlapMs: 0 }, HOUR);
    expect((await store.find(first.sha256))?.rotatedTo).toBe(rotated.sha256);
    expect((await registry.change(second.sha256, { tier: 'pro' }, HOUR)).tier).toBe('pro');
    expect((await registry.revoke(second.sha256, 'lost', HOUR)).status).toBe('revoked');
    // Redis has forgotten a record; the list does as well.
    await redis.del(`apikey:${rotated.sha256}`);
    expect((await registry.listing.list({ limit: 100 })).keys).toHaveLength(NAMES.length);
    expect((await registry.listing.list({ limit: 100 })).keys).toHaveLength(NAMES.length);
  });

  it('has all replicas hear of revocations, and of keys that others write to any node', async () => {
    const options = { onStoreError: 'closed', staleAfter: 3000, longest: HOUR, max: 1000 } as const;
    const [one, other] = [0, 1].map(() => new Revocations({ store: { redis, guard, pubSub } })) as [
      Revocations,
      Revocations,
    ];
    for (const replica of [one, other]) replica.use(options);
    const knows = (replica: Revocations, jti: string) => replica.set.find(digestOf('jti', '', jti)) !== 0;
    try {
      await until(() => one.state === 'fresh' && other.state === 'fresh');
      const revocations = NAMES.map((jti) => ({
        digest: digestOf('jti', '', jti),
        time: Math.ceil(Date.now() / 1000) + 3600,
        token: { jti, forMs: HOUR },
      }));
      expect(await one.revoke(revocations)).toBe('everywhere');
      await until(() => NAMES.every((jti) => knows(other, jti)));
      await Promise.all(NAMES.map((jti) => redis.set(`revoked:by-hand-${jti}`, 'x', 'EX', 60)));
      await until(() => NAMES.every((jti) => knows(one, `by-hand-${jti}`) && knows(other, `by-hand-${jti}`)));
    } finally {
      for (const replica of [one, other]) replica.stop();
    }
  });

  it('keeps sessions, what is good once, proofs, texts, keys to sign with and rollouts', async () => {
    const sessions = new RedisSessions({
      redis,
      guard,
      keys: new KeyRing(['a-secret-of-thirty-two-characters']),
      purpose: 'test',
      life: { idle: HOUR, absolute: HOUR },
      clock: Date.now,
    });
    const session = { id: 'x', createdAt: Date.now(), subject: 'alice' } as unknown as Session;
    const tickets = await Promise.all(NAMES.map(() => sessions.begin(session)));
    for (const ticket of tickets) expect(await sessions.read(ticket)).toMatchObject({ id: 'x' });
    await sessions.end(tickets[0] as string);
    expect(await sessions.read(tickets[0] as string)).toBeUndefined();

    const [once, again] = [new SeenOnce(redis, guard), new SeenOnce(redis, guard)];
    const store = { redis, guard };
    const proofs = () =>
      new SeenProofs({ keepMs: HOUR, max: 1000, onStoreError: 'closed', store, clock: Date.now });
    const [seen, elsewhere] = [proofs(), proofs()];
    const texts = new SharedTexts(redis, guard);
    const seal = new KeySeal('a-secret-of-thirty-two-characters');
    const keys = new RedisKeyStore(store, seal, { name: 'ES256:1h', rotateMs: HOUR });
    const rollouts = new RedisRolloutStore(redis, guard);
    for (const [index, name] of NAMES.entries()) {
      expect([await once.isFirst('state', name, HOUR), await again.isFirst('state', name, HOUR)]).toEqual([
        true,
        false,
      ]);
      const holder = { caller: 'alice', key: name };
      expect([await seen.take(holder, 'digest'), await elsewhere.take(holder, 'digest')]).toEqual([
        true,
        false,
      ]);
      texts.set(name, `text of ${name}`, 60);
      await until(async () => (await texts.get(name)) === `text of ${name}`);
      const signing = await keys.agree(index, () => generatedKey('ES256'));
      expect((await keys.agree(index, undefined))?.published.kid).toBe(signing?.published.kid);
      expect((await rollouts.sync(name, BEGINNING, new Tally()))?.state).toEqual(BEGINNING);
    }
  });

  it('loses a node: the others serve on, its keys fail at once, it is said once, and over when it is back', async () => {
    const heard: string[] = [];
    pubSub.listen('news', (text) => heard.push(text));
    await until(async () => {
      await pubSub.publish('news', 'before').catch(() => undefined);
      return heard.includes('before');
    });
    const [, victim] = group.nodes as [RedisGroup['nodes'][0], RedisGroup['nodes'][0]];
    lines.length = 0;
    await victim.kill();
    const write = (): Promise<string[]> =>
      Promise.all(NAMES.map((name) => redis.set(`x:${name}`, '1').catch((error: Error) => error.message)));
    await until(() => lineOf(redis)?.lost.length === 1);
    const answers = await write();
    expect(answers.filter((one) => one === 'OK').length).toBeGreaterThan(0);
    expect(answers.filter((one) => one !== 'OK').length).toBeGreaterThan(0);
    // Nothing that costs no time is held against those that do well.
    for (let turn = 0; turn < 20; turn += 1)
      await Promise.all(NAMES.map(async (name) => guard.run(() => redis.set(`x:${name}`, '1'))));
    expect(guard.givenUp).toEqual([]);
    await until(async () => {
      await pubSub.publish('news', 'meanwhile').catch(() => undefined);
      return heard.includes('meanwhile');
    });
    await victim.start();
    await until(async () => (await write()).every((one) => one === 'OK'));
    expect(lines).toEqual([
      `A node of the Redis Cluster is not reachable: 127.0.0.1:${victim.port}: the connection was closed; reconnecting in the background`,
      `A node of the Redis Cluster is connected again: 127.0.0.1:${victim.port}`,
    ]);
  });

  it('moves a slot to another node while it is used, and nothing is lost or done twice', async () => {
    const [from, to] = [mastersOf(redis)[0] as Redis, mastersOf(redis)[1] as Redis];
    const name = NAMES.map((one) => `slot:{${one}}`).find((one) => isOf(from, one)) ?? '';
    const slot = Number(await from.cluster('KEYSLOT', name));
    const ids = await Promise.all([from, to].map((node) => node.call('CLUSTER', 'MYID')));
    const count = () => redis.incr(name);
    expect(await count()).toBe(1);
    await to.call('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', String(ids[0]));
    await from.call('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', String(ids[1]));
    expect(await count()).toBe(2);
    const { host, port } = to.options;
    const keys = (await from.call('CLUSTER', 'GETKEYSINSLOT', String(slot), '100')) as string[];
    await from.call('MIGRATE', String(host), String(port), '', '0', '1000', 'KEYS', ...keys);
    // The node that has them not any more says ASK, and in the end MOVED.
    expect(await count()).toBe(3);
    for (const node of [to, from])
      await node.call('CLUSTER', 'SETSLOT', String(slot), 'NODE', String(ids[1]));
    expect([await count(), await count()]).toEqual([4, 5]);
  });
});

function isOf(node: Redis, key: string): boolean {
  const cluster = redis as unknown as { slots: string[][] };
  const slot = slotOf(key);
  return cluster.slots[slot]?.[0] === `${node.options.host}:${node.options.port}`;
}

/** CRC16 of what is in braces, as the Cluster specification has it. */
function slotOf(key: string): number {
  let crc = 0;
  for (const byte of Buffer.from(/\{(.+?)\}/.exec(key)?.[1] ?? key)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  }
  return (crc & 0xffff) % 16_384;
}
