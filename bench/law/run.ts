/**
 * Does a request cost as much with eight replicas as with one? `npm run law` measures it, `npm run law -- --simulate` simulates up to a
 * thousand. It ends with a line for each promise, and with 1 when one was broken. See README.md in this folder.
 *
 * @module
 */
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { freePort } from '../../src/listeners/free-port.ts';
import { startRedis } from '../../test/support/redis.ts';
import { positive } from '../options.ts';
import { Stand } from '../stand.ts';
import { Fleet, tellNews } from './fleet.ts';
import { measureLaw } from './measure.ts';
import { openNetwork } from './network.ts';
import { redisCosts } from './redis-costs.ts';
import { ROUND_TRIP_MS } from './simulation/constants.ts';
import { judgeSimulated, renderSimulated, simulate, type Kept } from './simulation/simulate.ts';
import { judgeLaw, renderLaw } from './verdict.ts';

const { values } = parseArgs({
  options: {
    simulate: { type: 'boolean', default: false },
    redis: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '2' },
    /** Requests of each replica in a second. */
    rate: { type: 'string', default: '100' },
    replicas: { type: 'string', multiple: true },
    seed: { type: 'string', default: '1' },
    /** Of a round trip to Redis, in ms. */
    p50: { type: 'string', default: String(ROUND_TRIP_MS.p50) },
    p99: { type: 'string', default: String(ROUND_TRIP_MS.p99) },
  },
});

if (values.redis) console.log(await redisCosts());
else process.exitCode = verdict(await (values.simulate ? simulated() : measured())) ? 0 : 1;

async function measured(): Promise<readonly Kept[]> {
  const crowds = crowdsOf([1, 2, 4, 8]).sort((a, b) => a - b);
  const network = openNetwork(crowds.at(-1) ?? 1);
  const stand = new Stand({ measured: undefined, others: undefined });
  const closing: (() => Promise<unknown> | void)[] = [() => network.close(), () => stand.close()];
  const end = async (): Promise<void> => {
    for (const close of closing.splice(0).toReversed()) await close();
  };
  process.once('SIGINT', () => void end().then(() => process.exit(130)));
  try {
    const port = await freePort();
    const bind = ['--bind', '127.0.0.1', ...(network.shared === '127.0.0.1' ? [] : [network.shared])];
    const quiet = ['--protected-mode', 'no', '--save', '', '--appendonly', 'no', '--dir', stand.folder];
    const args = ['--port', String(port), ...bind, ...quiet];
    await stand.startServer({ name: 'redis-server', command: 'redis-server', args, env: {}, port });
    stand.redisUrl = `redis://${network.shared}:${port}`;
    await stand.addServices('peers/backend.ts', { BACKEND_HOST: network.shared });
    const redis = new Redis(stand.redisUrl);
    closing.push(() => redis.disconnect());
    const fleet = new Fleet(stand, network);
    closing.push(() => fleet.close());
    const stopNews = tellNews(redis);
    closing.push(stopNews);
    const [rounds, seconds, rate] = [whole('rounds'), whole('seconds'), whole('rate')];
    console.log(
      `${network.title}; ${rounds} rounds of ${seconds} s, ${rate} requests a second for each replica\n`,
    );
    const all = [];
    for (const replicas of crowds)
      all.push(...(await measureLaw({ fleet, redis }, replicas, { rounds, seconds, rate })));
    console.log(`${renderLaw(all)}\n`);
    return judgeLaw(all);
  } finally {
    await end();
  }
}

async function simulated(): Promise<readonly Kept[]> {
  const server = await startRedis();
  try {
    const crowds = crowdsOf([10, 100, 1000]);
    const trip = { p50: Number(values.p50), p99: Number(values.p99) };
    console.log(
      `seed ${values.seed}; round trips of ${trip.p50} ms, one in a hundred of ${trip.p99} ms or more\n`,
    );
    const all = await simulate(server.client(), { crowds, seed: Number(values.seed), trip });
    console.log(`${renderSimulated(all)}\n`);
    return judgeSimulated(all);
  } finally {
    await server.stop();
  }
}

function crowdsOf(otherwise: readonly number[]): number[] {
  return values.replicas?.map((text) => positive('--replicas', text) ?? 1) ?? [...otherwise];
}

function whole(name: 'rounds' | 'seconds' | 'rate'): number {
  return positive(`--${name}`, values[name]) ?? 1;
}

function verdict(promises: readonly Kept[]): boolean {
  for (const { kept, line } of promises) console.log(`${kept ? 'kept  ' : 'BROKEN'} ${line}`);
  return promises.every(({ kept }) => kept);
}
