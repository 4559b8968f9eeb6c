/**
 * Does a request cost as much with eight replicas as with one? `npm run law` measures it, `npm run law -- --simulate` simulates up to a
 * thousand. It ends with a line for each promise, and with 1 when one was broken. See README.md in this folder.
 *
 * @module
 */
import { parseArgs } from 'node:util';
import { freePort } from '../../src/listeners/free-port.ts';
import { startRedis } from '../../test/support/redis.ts';
import { Pacer } from '../interleaved.ts';
import { chooseCores, describeMachine } from '../machine.ts';
import { positive } from '../options.ts';
import { Stand } from '../stand.ts';
import { Fleet, LIMITS, type Limited } from './fleet.ts';
import { measureLaw, warmUp } from './measure.ts';
import { onLoopback, openNetwork, type Network } from './network.ts';
import { redisCosts } from './redis-costs.ts';
import { ROUND_TRIP_MS } from './simulation/constants.ts';
import { judgeSimulated, renderSimulated, simulate } from './simulation/simulate.ts';
import { tripFrom } from './trip.ts';
import { measureSharing } from './sharing.ts';
import { judgeLaw, renderLaw, renderSharing, type Judged } from './verdict.ts';

const { values } = parseArgs({
  options: {
    simulate: { type: 'boolean', default: false },
    redis: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '40' },
    seconds: { type: 'string', default: '1' },
    /** Of fleets that share a Redis, beside such as do not; each is 50 s of each limit. */
    blocks: { type: 'string', default: '8' },
    /** Requests of each replica in a second. */
    rate: { type: 'string', default: '150' },
    replicas: { type: 'string', multiple: true },
    /** Kinds of limits; default all. */
    limit: { type: 'string', multiple: true },
    /** Without network namespaces. */
    loopback: { type: 'boolean', default: false },
    /** ms that netem adds to each packet of a replica. */
    delay: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    /** Of a round trip to Redis, in ms. */
    p50: { type: 'string', default: String(ROUND_TRIP_MS.p50) },
    p99: { type: 'string', default: String(ROUND_TRIP_MS.p99) },
  },
});

if (values.redis) console.log(await redisCosts());
else process.exitCode = verdict(await (values.simulate ? simulated() : measured())) ? 0 : 1;

async function measured(): Promise<readonly Judged[]> {
  const crowds = crowdsOf([1, 2, 4, 8]).sort((a, b) => a - b);
  const most = crowds.at(-1) ?? 1;
  const sizes = crowds.length > 1 ? [...crowds, most] : crowds;
  const network = values.loopback
    ? onLoopback(sizes, 'as asked for')
    : openNetwork(sizes, Number(values.delay));
  const stand = new Stand(chooseCores());
  const closing: (() => Promise<unknown> | void)[] = [() => network.close(), () => stand.close()];
  const end = async (): Promise<void> => {
    for (const close of closing.splice(0).toReversed()) await close();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void end().then(() => process.exit(130)));
  try {
    await stand.addServices('peers/backend.ts', { BACKEND_HOST: network.shared });
    const pacer = new Pacer(stand.startPaced());
    closing.push(() => pacer.close());
    const fleets: Fleet[] = [];
    for (const [index, places] of network.places.entries()) {
      const redisUrl = await startedRedis(stand, network);
      // The last two are as many as each other.
      const isOfTwo = crowds.length > 1 && index >= crowds.length - 1;
      const ownUrls = isOfTwo ? await startedRedises(places.length, stand, network) : undefined;
      const fleet = new Fleet(stand, { places, redisUrl, ...(ownUrls && { ownUrls }) });
      closing.push(() => fleet.close());
      await fleet.start();
      fleets.push(fleet);
    }
    const options = {
      limits: limitsOf(),
      rounds: whole('rounds'),
      seconds: whole('seconds'),
      rate: whole('rate'),
    };
    console.log(describeMachine('paced-load', stand.cores));
    console.log(
      `${network.title}; ${options.rounds} rounds of ${options.seconds} s, ${options.rate} requests a second for each replica`,
    );
    console.log(`${await renderTrip(network, fleets)}\n`);
    await warmUp(fleets, pacer, options.limits);
    const all = await measureLaw(fleets.slice(0, crowds.length), pacer, options);
    console.log(`${renderLaw(all)}\n`);
    const [left, right] = fleets.slice(crowds.length - 1);
    if (left === undefined || right === undefined) return judgeLaw(all, []);
    const other = new Pacer(stand.startPaced());
    closing.push(() => other.close());
    const sharing = await measureSharing([left, right], [pacer, other], {
      ...options,
      rate: options.rate / 3,
      blocks: whole('blocks'),
    });
    console.log(`${renderSharing(sharing)}\n`);
    return judgeLaw(all, sharing);
  } finally {
    await end();
  }
}

async function startedRedis(stand: Stand, { shared }: Network): Promise<string> {
  const port = await freePort();
  const bind = ['--bind', '127.0.0.1', ...(shared === '127.0.0.1' ? [] : [shared])];
  const quiet = ['--protected-mode', 'no', '--save', '', '--appendonly', 'no', '--dir', stand.folder];
  await stand.startBeside('redis-server', ['--port', String(port), ...bind, ...quiet], port);
  return `redis://${shared}:${port}`;
}

async function startedRedises(count: number, stand: Stand, network: Network): Promise<readonly string[]> {
  const urls: string[] = [];
  while (urls.length < count) urls.push(await startedRedis(stand, network));
  return urls;
}

/** What a round trip to Redis takes from where a gateway is; the simulation takes it from `--p50` and `--p99`. */
async function renderTrip(network: Network, fleets: readonly Fleet[]): Promise<string> {
  const [place] = network.places[0] ?? [];
  const [fleet] = fleets;
  if (place === undefined || fleet === undefined) return '';
  const { p50, p99 } = await tripFrom(place, fleet.redisUrl);
  return `a round trip to Redis: p50 ${p50.toFixed(3)} ms, p99 ${p99.toFixed(3)} ms (--p50 ${p50.toFixed(3)} --p99 ${p99.toFixed(3)} of the simulation)`;
}

async function simulated(): Promise<readonly Judged[]> {
  const server = await startRedis();
  try {
    const crowds = crowdsOf([10, 100, 1000]);
    const trip = { p50: Number(values.p50), p99: Number(values.p99) };
    console.log(
      `seed ${values.seed}; round trips of ${trip.p50} ms, one in a hundred of ${trip.p99} ms or more\n`,
    );
    const all = await simulate(server.client(), { crowds, seed: Number(values.seed), trip });
    console.log(`${renderSimulated(all)}\n`);
    return judgeSimulated(all).map(({ kept, line }) => ({ verdict: kept ? 'kept' : 'broken', line }));
  } finally {
    await server.stop();
  }
}

function crowdsOf(otherwise: readonly number[]): number[] {
  return values.replicas?.map((text) => positive('--replicas', text) ?? 1) ?? [...otherwise];
}

function whole(name: 'rounds' | 'seconds' | 'rate' | 'blocks'): number {
  return positive(`--${name}`, values[name]) ?? 1;
}

function limitsOf(): readonly Limited[] {
  const unknown = values.limit?.find((name) => !LIMITS.some((one) => one === name));
  if (unknown !== undefined)
    throw new Error(`--limit: expected one of ${LIMITS.join(', ')}, given ${unknown}`);
  return values.limit === undefined ? LIMITS : LIMITS.filter((one) => values.limit?.includes(one));
}

function verdict(promises: readonly Judged[]): boolean {
  for (const { verdict: told, line } of promises) console.log(`${told.padEnd(11)} ${line}`);
  return promises.every((one) => one.verdict !== 'broken');
}
