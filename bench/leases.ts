/**
 * Measures what a take costs that a lease covers: `npm run bench -- --only leases`.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { setImmediate } from 'node:timers/promises';
import { startRedis } from '../test/support/redis.ts';
import { LeaseCalls } from '../src/policies/rate-limit/leases/lease-calls.redis.ts';
import { Leases } from '../src/policies/rate-limit/leases/leases.ts';
import { closeRedis, createRedis, whenReady } from '../src/store/redis.ts';
import { StoreGuard } from '../src/store/store-guard.ts';
import { median } from './table.ts';

const KEYS = [1, 64];
const TAKES = 200_000;
/** As many as a busy gateway reads in one turn of the event loop. */
const IN_A_TURN = 64;
const ROUNDS = 7;
const TARGET_US = 3;
const RULE = { rate: 1e8, perMs: 1000, burst: 1e8 };

/** Measures in a process of its own. @returns a Markdown table. */
export function leaseTimes(): string {
  return execFileSync(process.execPath, [import.meta.filename], { encoding: 'utf8' }).trim();
}

if (import.meta.main) {
  const server = await startRedis();
  const redis = createRedis(server.url, { info: () => undefined, warn: () => undefined });
  await whenReady(redis, 5000);
  const guard = new StoreGuard({ probe: () => redis.ping(), budgetMs: 1000 });
  const calls = new LeaseCalls(redis, { id: 'bench', count: 4 });
  const leases = new Leases({ send: (key, call) => calls.send(key, call), guard });
  const rows = [];
  for (const keys of KEYS) rows.push(await rowOf(leases, keys));
  console.log(
    [
      '| hot keys | a take from a lease, µs | takes that waited | target |',
      '| -: | -: | -: | -: |',
      ...rows,
    ].join('\n'),
  );
  await leases.close();
  guard.close();
  closeRedis(redis);
  // The server does not keep this process, which waits for its end.
  const stays = setInterval(() => undefined, 1000);
  await server.stop();
  clearInterval(stays);
}

async function rowOf(leases: Leases, keys: number): Promise<string> {
  await round(leases, keys);
  const rounds = [];
  for (let index = 0; index < ROUNDS; index += 1) rounds.push(await round(leases, keys));
  const us = median(rounds.map((one) => one.us));
  const waited = median(rounds.map((one) => one.waited));
  const share = `${((100 * waited) / TAKES).toFixed(2)} %`;
  return `| ${keys} | ${us.toFixed(2)} | ${share} | ${TARGET_US} ${us <= TARGET_US ? '' : 'missed '}|`;
}

/** CPU time of this process, for the calls to Redis as well. */
async function round(
  leases: Leases,
  keys: number,
): Promise<{ readonly us: number; readonly waited: number }> {
  let waited = 0;
  const before = process.cpuUsage();
  for (let taken = 0; taken < TAKES; taken += IN_A_TURN) {
    const late = [];
    for (let index = 0; index < IN_A_TURN; index += 1) {
      const outcome = leases.take(`orders:0:{user-${index % keys}}`, RULE, 1);
      if (outcome instanceof Promise) late.push(outcome);
    }
    waited += late.length;
    if (late.length > 0) await Promise.all(late);
    await setImmediate();
  }
  const { user, system } = process.cpuUsage(before);
  return { us: (user + system) / TAKES, waited };
}
