/**
 * Does a request cost as much with eight replicas as with one? `npm run law` measures it, `npm run law -- --simulate` simulates up to a
 * thousand. It ends with a line for each promise, and with 1 when one was broken. See README.md in this folder.
 *
 * @module
 */
import { parseArgs } from 'node:util';
import { startRedis } from '../../test/support/redis.ts';
import { positive } from '../options.ts';
import { redisCosts } from './redis-costs.ts';
import { ROUND_TRIP_MS } from './simulation/constants.ts';
import { judgeSimulated, renderSimulated, simulate, type Kept } from './simulation/simulate.ts';

const { values } = parseArgs({
  options: {
    simulate: { type: 'boolean', default: false },
    redis: { type: 'boolean', default: false },
    replicas: { type: 'string', multiple: true },
    seed: { type: 'string', default: '1' },
    /** Of a round trip to Redis, in ms. */
    p50: { type: 'string', default: String(ROUND_TRIP_MS.p50) },
    p99: { type: 'string', default: String(ROUND_TRIP_MS.p99) },
  },
});

if (values.redis) console.log(await redisCosts());
else process.exitCode = verdict(await simulated()) ? 0 : 1;

async function simulated(): Promise<readonly Kept[]> {
  const server = await startRedis();
  try {
    const crowds = values.replicas?.map((text) => positive('--replicas', text) ?? 1) ?? [10, 100, 1000];
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

function verdict(promises: readonly Kept[]): boolean {
  for (const { kept, line } of promises) console.log(`${kept ? 'kept  ' : 'BROKEN'} ${line}`);
  return promises.every(({ kept }) => kept);
}
