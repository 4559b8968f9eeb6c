import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf } from '../../src/policies/authentication/revocation/revocation-marks.ts';
import { Revocations } from '../../src/policies/authentication/revocation/revocations.ts';
import { PubSub } from '../../src/store/pub-sub.ts';
import { closeRedis, createRedis, lineOf, pingAll, whenReady } from '../../src/store/redis.ts';
import { StoreGuard } from '../../src/store/store-guard.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';

// Each of ten thousand is asked for, again and again.
jest.setTimeout(60_000);

const SILENT = { info: () => undefined, warn: () => undefined };
const HOUR = 3_600_000;
/** Several pages of the log, and several rounds of a scan. */
const MANY = 5000;
const AT_A_TIME = 2500;
const later = () => Math.ceil(Date.now() / 1000) + 3000;

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

async function replica(): Promise<Revocations> {
  const redis = createRedis(server.url, SILENT);
  const guard = new StoreGuard({ probe: () => pingAll(redis), budgetMs: 10_000, line: lineOf(redis) });
  const pubSub = new PubSub(redis);
  expect(await whenReady(redis, 10_000)).toBe(true);
  const revocations = new Revocations({ store: { redis, guard, pubSub } });
  revocations.use({ onStoreError: 'closed', staleAfter: 60_000, longest: HOUR, max: 1_000_000 });
  ends.push(() => {
    revocations.stop();
    guard.close();
    pubSub.close();
    closeRedis(redis);
  });
  return revocations;
}

const names = (prefix: string): readonly string[] => Array.from({ length: MANY }, (_, i) => `${prefix}-${i}`);
const unknown = (one: Revocations, jtis: readonly string[]): readonly string[] =>
  jtis.filter((jti) => one.set.find(digestOf('jti', '', jti)) === 0);

describe('many revocations', () => {
  it('are all known to who comes later, from the log and from keys, and come back when Redis has lost them', async () => {
    const one = await replica();
    const [logged, keyed] = [names('logged'), names('keyed')];
    for (let at = 0; at < MANY; at += AT_A_TIME) {
      const some = logged
        .slice(at, at + AT_A_TIME)
        .map((jti) => ({ digest: digestOf('jti', '', jti), time: later() }));
      expect(await one.revoke(some)).toBe('everywhere');
    }
    const issuer = server.client();
    await Promise.all(keyed.map((jti) => issuer.set(`revoked:${jti}`, '1', 'PX', HOUR)));
    const late = await replica();
    await until(() => late.state === 'fresh');
    expect(unknown(late, [...logged, ...keyed])).toEqual([]);
    expect(late.set.count().held).toBe(2 * MANY);
    // Changes of keys are told in thousands as well.
    await until(() => unknown(one, keyed).length === 0);
    await issuer.flushall();
    await until(() => one.ageMs < 1000);
    // The log has all of them again, also those that were keys.
    let last: Revocations;
    do {
      last = await replica();
      await until(() => last.state === 'fresh');
    } while (unknown(last, [...logged, ...keyed]).length > 0);
    expect(last.set.count().held).toBe(2 * MANY);
  });

  it('that come one after the other are looked at together, and what is known moves on meanwhile', async () => {
    const issuer = server.client();
    await issuer.flushall();
    const one = await replica();
    await until(() => one.state === 'fresh');
    await issuer.config('RESETSTAT');
    const beganAt = performance.now();
    const jtis: string[] = [];
    // Something is always about to be looked at: that alone must not let the knowledge grow old.
    while (jtis.length < 200 || one.ageMs >= performance.now() - beganAt) {
      jtis.push(`flood-${jtis.length}`);
      await issuer.set(`revoked:${jtis.at(-1) ?? ''}`, '1', 'PX', HOUR);
      await sleep(3);
    }
    await until(() => unknown(one, jtis).length === 0);
    const elapsedMs = performance.now() - beganAt;
    const stats = await issuer.info('commandstats');
    const calls = [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce(
      (sum, [, n]) => sum + Number(n),
      0,
    );
    // One look in 100 ms, and the log once in 400; a script that is not known there yet is a call more.
    expect(calls).toBeLessThanOrEqual(elapsedMs / 100 + elapsedMs / 400 + 5);
  });

  it('beside entries that are none are read as if those were not there', async () => {
    const redis = server.client();
    await redis.flushall();
    const writes: [string, ...string[]][] = [
      ['hello', 'world'],
      ['d', 'short', 't', '5'],
      ['d', 'x'.repeat(16)],
      ['t', String(later())],
      ['d', '!'.repeat(16), 't', String(later())],
      ['d', 'two\nlines-of-text', 't', '5\n6'],
      ['d', 'A'.repeat(16), 't', 'soon'],
      ['d', 'A'.repeat(16), 't', '1e99'],
      ['more', '1', 't', String(later()), 'd', 'B'.repeat(16)],
    ];
    for (const fields of writes) await redis.xadd('gatehouse:revocations', '*', ...fields);
    const one = await replica();
    await until(() => one.state === 'fresh');
    expect(one.set.count().held).toBe(1);
  });
});
