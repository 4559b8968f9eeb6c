/**
 * Measures what an exact limit in Redis costs the process of a gateway: `npm run bench -- --only limits`.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { setImmediate } from 'node:timers/promises';
import { RedisTokenBucket } from '../src/policies/rate-limit/token-bucket.redis.ts';
import { closeRedis, createRedis, whenReady } from '../src/store/redis.ts';
import { StoreGuard } from '../src/store/store-guard.ts';
import { startRedis } from '../test/support/redis.ts';
import { median } from './table.ts';

/** How many requests a gateway reads in one turn of its event loop: an idle one, and busier ones. */
const IN_A_TURN = [1, 4, 16, 64];
const TAKES = 20_000;
const ROUNDS = 7;
const TARGET_US = 10;
const RULE = { rate: 1e8, perMs: 1000, burst: 1e8 };

/** Measures in a process of its own. @returns a Markdown table. */
export function limitTimes(): string {
  return execFileSync(process.execPath, [import.meta.filename], { encoding: 'utf8' }).trim();
}

if (import.meta.main) {
  const server = await startRedis();
  const redis = createRedis(server.url, { info: () => undefined, warn: () => undefined });
  await whenReady(redis, 5000);
  const guard = new StoreGuard({ probe: () => redis.ping(), budgetMs: 10_000 });
  const buckets = new RedisTokenBucket(redis, guard);
  console.log('| requests in a turn | an exact take, CPU µs | target |\n| -: | -: | -: |');
  for (const inTurn of IN_A_TURN) await round(buckets, inTurn);
  const rounds = IN_A_TURN.map((): number[] => []);
  for (let turn = 0; turn < ROUNDS; turn += 1)
    for (const [index, inTurn] of IN_A_TURN.entries()) rounds[index]?.push(await round(buckets, inTurn));
  for (const [index, inTurn] of IN_A_TURN.entries()) {
    const us = median(rounds[index] as number[]);
    console.log(`| ${inTurn} | ${us.toFixed(1)} | ≤ ${TARGET_US} ${us <= TARGET_US ? 'met' : 'above'} |`);
  }
  guard.close();
  closeRedis(redis);
  // The server does not keep this process, which waits for its end.
  const stays = setInterval(() => undefined, 1000);
  await server.stop();
  clearInterval(stays);
}

async function round(buckets: RedisTokenBucket, inTurn: number): Promise<number> {
  const before = process.cpuUsage();
  for (let taken = 0; taken < TAKES; taken += inTurn) {
    const late = [];
    for (let index = 0; index < inTurn; index += 1)
      late.push(buckets.take(`orders:0:user-${index}`, RULE, 1));
    await Promise.all(late);
    await setImmediate();
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / TAKES;
}
