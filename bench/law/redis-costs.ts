import { Redis } from 'ioredis';
import { LEASE_TTL_MS } from '../../src/policies/rate-limit/leases/lease.ts';
import { LEASE_SCRIPT } from '../../src/policies/rate-limit/leases/lease.lua.ts';
import { RedisRolloutStore } from '../../src/canary/rollout-store.redis.ts';
import { BEGINNING } from '../../src/canary/rollout-state.ts';
import { Tally } from '../../src/canary/tally.ts';
import {
  LIVES_SCRIPT,
  READ_LOG_SCRIPT,
} from '../../src/policies/authentication/revocation/revocation-log.lua.ts';
import { REVOCATION_STREAM } from '../../src/policies/authentication/revocation/revocation-log.ts';
import { TOKEN_BUCKET_SCRIPT } from '../../src/policies/rate-limit/token-bucket.lua.ts';
import { StoreGuard } from '../../src/store/store-guard.ts';
import { startRedis, type RedisServer } from '../../test/support/redis.ts';
import { renderMarkdown } from '../table.ts';

/** Goes by no sums. */
const LOOKING_SCRIPT = LEASE_SCRIPT.replace(
  'local summed, latest_call = sum(',
  'local summed, latest_call = nil and sum(',
);

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
    rows.push(['anything, to read it and to answer', '', us(await handled(client))]);
    rows.push(['an exact limit', '', us(await quietest(client, 'eval', () => exact(client)))]);
    rows.push([
      'the log of revocations, without news',
      '',
      us(await quietest(client, 'eval', () => log(client))),
    ]);
    for (const entries of [10, 100])
      rows.push(['the log of revocations, with entries', String(entries), us(await logged(client, entries))]);
    for (const keys of [1, 10, 100])
      rows.push([
        'a look at keys',
        String(keys),
        us(await quietest(client, 'eval', () => looked(client, keys))),
      ]);
    rows.push(['a rollout', '', us(await rolledOut(client))]);
    for (const crowd of CROWDS) rows.push(['PUBLISH', String(crowd), us(await published(server, crowd))]);
    for (const crowd of CROWDS) rows.push(['a lease', String(crowd), us(await leased(client, crowd))]);
    for (const crowd of CROWDS)
      rows.push([
        'a lease, after somebody else has written',
        String(crowd),
        us(await leased(client, crowd, true)),
      ]);
    return renderMarkdown(['command', 'how many listen, hold, are read', 'µs'], rows);
  } finally {
    await server.stop();
  }
}

/** All CPU of Redis for a command that does nothing, one after the other. */
async function handled(client: Redis): Promise<number> {
  const cpuUs = async (): Promise<number> => {
    const text = await client.info('cpu');
    const seconds = [...text.matchAll(/^used_cpu_(?:sys|user):([\d.]+)/gm)];
    return seconds.reduce((sum, [, s]) => sum + 1e6 * Number(s), 0);
  };
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = await cpuUs();
    for (let made = 0; made < 10 * CALLS; made += 1) await client.ping();
    least = Math.min(least, ((await cpuUs()) - before) / (10 * CALLS));
  }
  return least;
}

let asked = 0;

/** One of a thousand buckets. */
function exact(client: Redis): Promise<unknown> {
  asked += 1;
  return client.eval(TOKEN_BUCKET_SCRIPT, 1, `ratelimit:${asked % 1000}`, 1e6, 1000, 1e6, 1);
}

async function log(client: Redis, most = 2000): Promise<unknown> {
  return client.eval(READ_LOG_SCRIPT, 1, REVOCATION_STREAM, '0-0', most);
}

async function logged(client: Redis, entries: number): Promise<number> {
  const fields = ['d', 'a'.repeat(16), 't', '218000000', 'n', '218000000'];
  const add = (): Promise<unknown> => client.xadd(REVOCATION_STREAM, '*', ...fields);
  await Promise.all(Array.from({ length: entries }, add));
  const cost = await quietest(client, 'eval', () => log(client, entries));
  await client.del(REVOCATION_STREAM);
  return cost;
}

function looked(client: Redis, keys: number): Promise<unknown> {
  return client.eval(LIVES_SCRIPT, keys, ...Array.from({ length: keys }, (_, key) => `revoked:${key}`));
}

/** With durations of a few hundred attempts, as of a replica in a second. */
async function rolledOut(client: Redis): Promise<number> {
  const guard = new StoreGuard({ probe: () => client.ping(), budgetMs: 10_000 });
  const store = new RedisRolloutStore(client, guard);
  const cost = await quietest(client, 'eval', () => {
    const tally = new Tally();
    for (let attempt = 0; attempt < 300; attempt += 1) tally.stable.count(false, 1 + (attempt % 40));
    return store.sync('rollout', BEGINNING, tally);
  });
  guard.close();
  return cost;
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

/** @param looks whether each call has to look at all. */
async function leased(client: Redis, holders: number, looks = false): Promise<number> {
  await client.flushall();
  const ask = (id: number, number: number): Promise<unknown> => {
    const args = [1e6, 1000, 1e6, `replica-${id}`, number, LEASE_TTL_MS, holders, 1, 0, 100, 0, 0, 0];
    return client.eval(looks ? LOOKING_SCRIPT : LEASE_SCRIPT, 1, 'ratelimit:all', ...args);
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
