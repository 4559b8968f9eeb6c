import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { createRedis, lineOf } from '../store/redis.ts';
import { StoreGuard } from '../store/store-guard.ts';
import { startRedis, type RedisServer } from '../../test/support/redis.ts';
import { KeyRings } from './key-rings.ts';
import { RedisKeyStore } from './key-store.redis.ts';
import { RotatingKeys } from './rotating-keys.ts';
import { KeySeal } from './sealed-key.ts';
import { signingSchema } from './signing.schema.ts';

const HOUR = 3_600_000;
const SECRET = 'a secret of the tests, 32 characters and more';
const START = 1_000_000 * HOUR;

let server: RedisServer;
let redis: Redis;
let guard: StoreGuard;
let now = START;
beforeAll(async () => {
  server = await startRedis();
  redis = createRedis(server.url, { info: () => undefined, warn: () => undefined });
  await new Promise((resolve) => void redis.once('ready', resolve));
  guard = new StoreGuard({ probe: () => redis.ping(), probeAfterMs: 5, line: lineOf(redis) });
});
beforeEach(async () => {
  now = START;
  await redis.flushall();
});
afterAll(async () => {
  guard.close();
  redis.disconnect();
  await server.stop();
});

function replica(secret = SECRET): RotatingKeys {
  const store = new RedisKeyStore({ redis, guard }, new KeySeal(secret), {
    name: 'ES256:1h',
    rotateMs: HOUR,
  });
  return new RotatingKeys({ id: 'x', rotateMs: HOUR, algorithm: 'ES256', store, clock: () => now });
}

const kidsOf = (ring: RotatingKeys): string[] =>
  (JSON.parse(ring.document().body.toString()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
const signs = (ring: RotatingKeys): string | undefined => ring.current()?.published.kid;

describe('keys that rotate', () => {
  it('are the same for replicas that begin at once, however many there are', async () => {
    const replicas = [replica(), replica(), replica(), replica()];
    await Promise.all(replicas.map((one) => one.ready()));
    expect(new Set(replicas.map(signs)).size).toBe(1);
    expect(new Set(replicas.map((one) => one.document().etag)).size).toBe(1);
    expect(kidsOf(replicas[0] as RotatingKeys)).toHaveLength(2);
  });

  it('are published for an epoch before they sign and for one after, so that no key set that is kept ever fails', async () => {
    const [one, other] = [replica(), replica()];
    await Promise.all([one.look(), other.look()]);
    const seen: { readonly at: number; readonly kids: readonly string[] }[] = [];
    const signed = new Set<string>();
    for (let step = 0; step < 45; step += 1) {
      now = START + step * (HOUR / 10);
      // Each of them looks when it wants to.
      if (step % 2 === 0) await one.look();
      if (step % 3 === 0) await other.look();
      for (const ring of [one, other]) {
        seen.push({ at: now, kids: kidsOf(ring) });
        signed.add(String(signs(ring)));
        const keptMs = Math.max(...[one, other].map((each) => each.document().maxAgeS * 1000));
        const stillKept = seen.filter(({ at }) => now - at <= keptMs);
        for (const { kids } of stillKept) expect(kids).toContain(signs(ring));
      }
    }
    expect(signed.size).toBe(5);
    expect(kidsOf(one).length).toBeLessThanOrEqual(3);
  });

  it('sign on while Redis is gone, and go on when it is back, even if it has forgotten all', async () => {
    const [one, other] = [replica(), replica()];
    await Promise.all([one.look(), other.look()]);
    const [first] = [signs(one)];
    const next = kidsOf(one)[1];
    await server.kill();
    now += HOUR;
    await one.look();
    expect(signs(one)).toBe(next);
    now += 5 * HOUR;
    await one.look();
    expect(signs(one)).toBe(next);
    expect(kidsOf(one)).toEqual([first, next]);
    now = START;
    await server.restart();
    for (let turn = 0; turn < 2000 && !(redis.status === 'ready' && guard.available); turn += 1)
      await new Promise((resolve) => void setTimeout(resolve, 10));
    await one.look();
    const late = replica();
    await late.look();
    expect(signs(late)).toBe(first);
  });

  it('are nothing that others can read in Redis, or put there', async () => {
    const one = replica();
    await one.look();
    const names = await redis.keys('*');
    expect(names).toHaveLength(2);
    const kept = await Promise.all(names.map((name) => redis.get(name)));
    const secret = one.current()?.privateKey.export({ format: 'jwk' }).d ?? '';
    for (const text of kept) {
      const bytes = Buffer.from(String(text), 'base64url');
      expect(bytes.includes(Buffer.from(secret, 'base64url'))).toBe(false);
    }
    // Of another time, of another secret, and nonsense.
    const [current = '', upcoming = ''] = names.sort();
    const planted = [await redis.get(upcoming), 'AAAA', 'x'.repeat(300), ''];
    for (const text of planted) {
      await redis.set(current, String(text));
      const late = replica();
      await late.look();
      expect(signs(late)).toBeUndefined();
      // Who has a key signs on with it.
      await one.look();
      expect(signs(one)).toBeDefined();
    }
    const stranger = replica('another secret of the tests, 32 characters');
    await stranger.look();
    expect(kidsOf(one)).not.toContain(signs(stranger));
  });

  it('end in Redis by themselves', async () => {
    await replica().look();
    for (const name of await redis.keys('*')) expect(await redis.pttl(name)).toBeGreaterThan(3 * HOUR);
  });
});

describe('the keys of a configuration', () => {
  const options = signingSchema.parse({ rotate: '1h', secretEnv: 'SECRET' });

  it.each([
    ['no secret', {}, 'secretEnv', 'set the environment variable SECRET'],
    ['a secret of 31 characters', { SECRET: 'x'.repeat(31) }, 'secretEnv', 'there are 31'],
    ['no Redis', { SECRET }, 'rotate', 'REDIS_URL'],
  ])('do not rotate with %s', (_, environment, key, message) => {
    const { ring, faults } = new KeyRings({ environment }).ringOf(options, '.');
    expect(ring).toBeUndefined();
    expect(faults).toEqual([
      { path: ['identity', 'signing', key], message: expect.stringContaining(message) },
    ]);
  });

  it('go by a secret in a file, from where the configuration is, and are others once it is another', () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-signing-'));
    const filed = signingSchema.parse({ rotate: '1h', secretFile: 'secret' });
    const rings = new KeyRings({ environment: {}, store: { redis, guard } });
    const { faults } = rings.ringOf(filed, folder);
    expect(faults).toEqual([
      { path: ['identity', 'signing', 'secretFile'], message: expect.stringContaining('ENOENT') },
    ]);
    writeFileSync(join(folder, 'secret'), `${SECRET}\n`);
    const { ring } = rings.ringOf(filed, folder);
    const ofVariable = new KeyRings({ environment: { SECRET }, store: { redis, guard } }).ringOf(
      options,
      '.',
    );
    expect(ring?.id).toBe(ofVariable.ring?.id);
    writeFileSync(join(folder, 'secret'), SECRET.toUpperCase().padEnd(40, 'X'));
    expect(rings.ringOf(filed, folder).ring?.id).not.toBe(ring?.id);
    rmSync(folder, { recursive: true });
  });

  it('go on from one configuration to the next', () => {
    const rings = new KeyRings({ environment: { SECRET }, store: { redis, guard } });
    const [one, other] = [
      rings.ringOf(options, '.').ring,
      rings.ringOf({ ...options, issuer: 'x' }, '.').ring,
    ];
    expect(one).toBe(other);
    expect(rings.ringOf(signingSchema.parse({ rotate: '2h', secretEnv: 'SECRET' }), '.').ring).not.toBe(one);
  });

  it.each([
    [{}, 'one of'],
    [{ keys: ['a'], rotate: '1h' }, 'one of'],
    [{ rotate: '1h' }, 'secretEnv'],
    [{ rotate: '1h', secretEnv: 'A', secretFile: 'a' }, 'expected one of secretEnv and secretFile'],
    [{ keys: ['a'], secretFile: 'a' }, 'rotate'],
    [{ rotate: '9m', secretEnv: 'A' }, '10m'],
    [{ rotate: '21d', secretEnv: 'A' }, '20d'],
    [{ keys: ['a'], algorithm: 'EdDSA' }, 'rotate'],
    [{ keys: ['a'], path: '/x/{id}' }, 'literal'],
  ])('are refused as %j', (given, message) => {
    const { error } = signingSchema.safeParse(given);
    expect(error?.message).toContain(message);
  });
});
