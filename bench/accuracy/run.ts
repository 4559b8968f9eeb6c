/**
 * Several gateways share limits under three times as much load as these allow: `npm run accuracy`. It ends with a line for
 * each promise, and with 1 when one was broken. See README.md in this folder.
 *
 * @module
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { randomFrom } from '../../test/support/random.ts';
import { startRedis } from '../../test/support/redis.ts';
import { positive } from '../options.ts';
import { Stand, type Subject } from '../stand.ts';
import { PRECISIONS, RandomLoad } from './load.ts';
import { judge, renderCounts } from './verdict.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    gateways: { type: 'string', default: '4' },
    keys: { type: 'string', default: '4' },
    /** Requests a second that a key may make. */
    rate: { type: 'string', default: '100' },
    burst: { type: 'string' },
    /** How many times the limit is asked for. */
    times: { type: 'string', default: '3' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
  },
});
const whole = (name: 'seconds' | 'gateways' | 'keys' | 'rate' | 'times' | 'burst'): number =>
  positive(`--${name}`, values[name]) ?? positive('--rate', values.rate) ?? 1;

// Not pinned: nothing here is about what it costs.
const stand = new Stand({ measured: undefined, others: undefined });
process.once('SIGINT', () => void stand.close().then(() => process.exit(130)));
const redis = await startRedis();
stand.redisUrl = redis.url;
try {
  process.exitCode = (await measure()) ? 0 : 1;
} finally {
  await stand.close();
  await redis.stop();
}

async function measure(): Promise<boolean> {
  const limit = { rate: whole('rate'), burst: whole('burst') };
  const config = join(stand.folder, 'accuracy.yaml');
  writeFileSync(config, JSON.stringify(configOf(limit)));
  const gateways: Subject[] = [];
  for (let index = 0; index < whole('gateways'); index += 1) {
    const one = { name: `accuracy-${index}`, config, logLevel: 'warn', needsRedis: true } as const;
    gateways.push(await stand.startGateway(one));
  }
  const origins = gateways.map(({ origin }) => origin);
  const perSecond = whole('times') * limit.rate;
  console.log(`seed ${values.seed}; ${origins.length} gateways, each key ${perSecond} requests a second`);
  const load = new RandomLoad({
    origins,
    keys: whole('keys'),
    perSecond,
    random: randomFrom(Number(values.seed)),
  });
  await load.warmUp();
  const before = await scriptCalls();
  const counts = await load.run(whole('seconds') * 1000);
  const calls = (await scriptCalls()) - before;
  console.log(renderCounts(counts, limit));
  const asked = counts.reduce((sum, one) => sum + one.asked, 0);
  console.log(`\n${calls} calls to Redis for ${asked} requests\n`);
  const verdict = judge(counts, limit);
  for (const { kept, line } of verdict) console.log(`${kept ? 'kept  ' : 'BROKEN'} ${line}`);
  return verdict.every(({ kept }) => kept);
}

/** A route for each precision; a request counts for the address that it names. */
function configOf({ rate, burst }: { readonly rate: number; readonly burst: number }): object {
  return {
    version: 1,
    contracts: { enabled: false },
    trustedProxies: ['loopback'],
    defaults: { policies: { authentication: 'public' } },
    routes: PRECISIONS.map((precision) => ({
      id: precision,
      match: { path: `/${precision}` },
      respond: { status: 204 },
      // Counting in each process would let more pass than this is about.
      policies: { rateLimit: { key: 'ip', rate, per: '1s', burst, precision, onStoreError: 'closed' } },
    })),
  };
}

async function scriptCalls(): Promise<number> {
  const client = redis.client();
  const stats = await client.info('commandstats');
  client.disconnect();
  return [...stats.matchAll(/cmdstat_(?:eval|evalsha):calls=(\d+)/g)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
}
