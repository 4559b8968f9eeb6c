import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startRedis, type RedisServer } from '../../../test/support/redis.ts';
import { LEASE_SCRIPT } from '../../../src/policies/rate-limit/leases/lease.lua.ts';
import { canaryReplicas } from './canary-replicas.ts';
import { hintReplicas } from './hint-replicas.ts';
import { CLOCKLESS_SCRIPT, leaseReplicas, type LeaseOutcome } from './lease-replicas.ts';
import { revocationReplicas } from './revocation-replicas.ts';
import { judgeSimulated, renderSimulated, simulate } from './simulate.ts';

const PAGE = join(import.meta.dirname, '../../../docs/capacity.md');
/** Tables are padded by the formatter. */
const cells = (text: string): string => text.replace(/ +/g, ' ');

describe('a hundred replicas', () => {
  let server: RedisServer;
  let redis: Redis;

  beforeAll(async () => {
    server = await startRedis();
    redis = server.client();
  });

  afterAll(() => server.stop());

  const leased = (replicas: number, share: number, seed = 1): Promise<LeaseOutcome> => {
    const rate = Math.round(share * 50 * replicas);
    const rule = { rate, perMs: 1000, burst: rate };
    return leaseReplicas(redis, { replicas, rule, perSecond: 50, ms: 500, seed });
  };

  it('are simulated with the script of production', () => {
    expect(CLOCKLESS_SCRIPT).not.toContain('TIME');
    expect(LEASE_SCRIPT.length - CLOCKLESS_SCRIPT.length).toBeLessThan(150);
  });

  it('let no more pass than a leased limit, and all of it', async () => {
    const { asked, admitted, allowed } = await leased(100, 1 / 3);
    expect(asked).toBeGreaterThan(0.9 * allowed);
    expect(admitted).toBeLessThanOrEqual(allowed);
    expect(admitted).toBeGreaterThan(0.95 * Math.min(asked, allowed));
  });

  it('do so where there are more, which reserve for longer', async () => {
    const { admitted, allowed, commands, asked } = await leased(300, 1 / 3);
    expect(admitted).toBeLessThanOrEqual(allowed);
    // Those that wait at the end are not counted: all ask for the first time, and Redis is busy with that.
    expect(admitted).toBeGreaterThan(0.8 * Math.min(asked, allowed));
    expect(commands).toBeLessThanOrEqual(asked + 300);
  });

  it('ask for a lease ten times as often as ten do, at most', async () => {
    const [few, many] = [await leased(10, 10), await leased(100, 10)];
    expect(many.admitted).toBe(many.asked);
    expect(many.commands).toBeLessThanOrEqual(12.5 * few.commands);
    expect(few.commands).toBeGreaterThan(0);
  });

  it('do the same for the same seed, and other things for another one', async () => {
    const [one, again, other] = [await leased(10, 1, 7), await leased(10, 1, 7), await leased(10, 1, 8)];
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
  });

  it('are on the page beside ten, which come to what it says', async () => {
    const all = await simulate(redis, { crowds: [10], seed: 1 });
    const rows = renderSimulated(all).split('\n').slice(2);
    expect(rows).toHaveLength(6);
    const page = cells(readFileSync(PAGE, 'utf8'));
    for (const row of rows) expect(page).toContain(cells(row));
    expect(judgeSimulated(all).filter(({ kept }) => !kept)).toEqual([]);
  });

  it('tell of a dead target a few times, not each of them', async () => {
    const world = { replicas: 100, perSecond: 10, deadMs: 100_000, ms: 150_000, seed: 1 };
    const { publishes, deliveries, agreedMs } = await hintReplicas(world);
    expect(publishes).toBeGreaterThan(0);
    expect(publishes).toBeLessThan(20);
    expect(deliveries).toBe(publishes * 100);
    expect(agreedMs).toBeLessThan(2000);
  });

  it('agree about a canary within a fifth of a second', async () => {
    const world = { perSecond: 1000, errors: 0.0005, ms: 8000, seed: 1 };
    const few = await canaryReplicas({ ...world, replicas: 10 });
    const { changes, agreedMs, ...many } = await canaryReplicas({ ...world, replicas: 100 });
    expect(changes).toBeGreaterThan(0);
    expect(agreedMs).toBeGreaterThan(0);
    expect(agreedMs).toBeLessThan(200);
    expect(many.commands + many.deliveries).toBeLessThanOrEqual(12.5 * (few.commands + few.deliveries));
  });

  it('know of each of a hundred revocations a second within a second, up to some hundred replicas', async () => {
    const {
      revoked,
      latestMs,
      redis: share,
    } = await revocationReplicas({ replicas: 300, perSecond: 100, ms: 1500, seed: 1 });
    expect(revoked).toBeGreaterThan(100);
    expect(latestMs).toBeLessThan(250);
    expect(share).toBeLessThan(0.5);
  });

  it('know of a revocation within a second', async () => {
    const world = { perSecond: 10, ms: 2000, seed: 1 };
    const few = await revocationReplicas({ ...world, replicas: 10 });
    const many = await revocationReplicas({ ...world, replicas: 100 });
    expect(many.revoked).toBeGreaterThan(0);
    expect(many.latestMs).toBeLessThan(1000);
    expect(many.commands + many.deliveries).toBeLessThanOrEqual(12.5 * (few.commands + few.deliveries));
  });
});
