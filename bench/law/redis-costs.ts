import { Redis } from 'ioredis';
import { LEASE_TTL_MS } from '../../src/policies/rate-limit/leases/lease.ts';
import { LEASE_SCRIPT } from '../../src/policies/rate-limit/leases/lease.lua.ts';
import { startRedis, type RedisServer } from '../../test/support/redis.ts';
import { renderMarkdown } from '../table.ts';

const ROUNDS = 5;
const CALLS = 400;
const CROWDS = [10, 100, 1000];

/**
 * What commands cost a Redis, in µs of its own clock (`INFO commandstats`), of the quietest of several rounds: a message by the
 * number of those who listen, a lease by the number of replicas that hold one of the same limit.
 *
 * @returns a Markdown table.
 */
export async function redisCosts(): Promise<string> {
  const server = await startRedis();
  try {
    const client = server.client();
    const rows = [['PING, of a connection', '', us(await quietest(client, 'ping', () => client.ping()))]];
    for (const crowd of CROWDS) rows.push(['PUBLISH', String(crowd), us(await published(server, crowd))]);
    for (const crowd of CROWDS) rows.push(['a lease', String(crowd), us(await leased(client, crowd))]);
    return renderMarkdown(['command', 'listeners, or holders', 'µs'], rows);
  } finally {
    await server.stop();
  }
}

async function published(server: RedisServer, listeners: number): Promise<number> {
  const client = server.client();
  const crowd = Array.from({ length: listeners }, () => new Redis(server.url));
  await Promise.all(crowd.map((one) => one.subscribe('news')));
  const message = 'x'.repeat(150);
  const cost = await quietest(client, 'publish', () => client.publish('news', message));
  for (const one of crowd) one.disconnect();
  return cost;
}

async function leased(client: Redis, holders: number): Promise<number> {
  await client.flushall();
  const ask = (id: number, number: number): Promise<unknown> => {
    const args = [1e6, 1000, 1e6, `replica-${id}`, number, LEASE_TTL_MS, holders, 1, 0, 100, 0, 0, 0];
    return client.eval(LEASE_SCRIPT, 1, 'ratelimit:all', ...args);
  };
  let number = 0;
  const all = (): Promise<unknown> =>
    Promise.all(Array.from({ length: holders }, (_, id) => ask(id, (number += 1))));
  await all();
  const one = (): Promise<unknown> => ask((number += 1) % holders, number);
  // What has lapsed meanwhile is held anew before each round.
  return quietest(client, 'eval', one, all);
}

/** The time of a command in Redis, in µs. */
async function quietest(
  client: Redis,
  command: string,
  call: () => Promise<unknown>,
  before: () => Promise<unknown> = () => Promise.resolve(),
): Promise<number> {
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    await before();
    await client.config('RESETSTAT');
    for (let made = 0; made < CALLS; made += 20) await Promise.all(Array.from({ length: 20 }, call));
    const stats = await client.info('commandstats');
    const [, perCall] = new RegExp(`cmdstat_${command}:.*usec_per_call=([\\d.]+)`).exec(stats) ?? [];
    least = Math.min(least, Number(perCall));
  }
  return least;
}

function us(value: number): string {
  return value.toFixed(1);
}
