/**
 * Asks the Redis of its argument for a sign of life again and again, as a gateway does that has nothing else to do, and prints p50 and p99 of
 * the round trips in ms as JSON.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { percentile } from '../steady-load.ts';

const COUNT = 2000;
const WARM_UP = 200;
/** Not back to back: a connection that has just been used is warmer than it is under load. */
const APART_MS = 1;

const redis = new Redis(process.argv[2] ?? '');
const trips: number[] = [];
for (let made = 0; made < WARM_UP + COUNT; made += 1) {
  const sentAt = performance.now();
  await redis.ping();
  if (made >= WARM_UP) trips.push(performance.now() - sentAt);
  await sleep(APART_MS);
}
redis.disconnect();
console.log(JSON.stringify({ p50: percentile(trips, 0.5), p99: percentile(trips, 0.99) }));
