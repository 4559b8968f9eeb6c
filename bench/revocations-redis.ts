/**
 * Measures what it takes to load revocations from Redis, as a gateway does that starts: `npm run bench -- --only revocations`.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf, digestText } from '../src/policies/authentication/revocation/revocation-marks.ts';
import { Revocations } from '../src/policies/authentication/revocation/revocations.ts';
import { PubSub } from '../src/store/pub-sub.ts';
import { closeRedis, createRedis, lineOf, pingAll, whenReady } from '../src/store/redis.ts';
import { StoreGuard } from '../src/store/store-guard.ts';
import { startRedis, type RedisServer } from '../test/support/redis.ts';

const SIZES = [10_000, 100_000, 1_000_000];
const MIB = 2 ** 20;
const HOUR_MS = 3_600_000;
const NANOSECONDS_PER_MS = 1e6;
const AT_A_TIME = 5000;
const LOOK_MS = 20;
const SILENT = { info: () => undefined, warn: () => undefined };

/** In words of Redis, which is quicker than to tell it each. ARGV: when they are over, and what they are of. */
const FILL = {
  log: `for i = 2, #ARGV do redis.call('XADD', 'gatehouse:revocations', '*', 'd', ARGV[i], 't', ARGV[1]) end`,
  keys: `for i = 2, #ARGV do redis.call('SET', 'revoked:' .. ARGV[i], '1', 'PX', 3600000) end`,
} as const;

/** Measures in a process of its own. @returns a Markdown table. */
export function revocationLoads(): string {
  return execFileSync(process.execPath, ['--expose-gc', import.meta.filename], { encoding: 'utf8' }).trim();
}

if (import.meta.main) {
  const head =
    '| kept as | revocations | load ms | CPU ms | loop p99 ms | longest ms | table MiB | RSS MiB more |';
  console.log([head, `| - |${' -: |'.repeat(7)}`].join('\n'));
  for (const kind of ['log', 'keys'] as const) for (const size of SIZES) console.log(await rowOf(kind, size));
}

async function rowOf(kind: keyof typeof FILL, size: number): Promise<string> {
  const server = await startRedis();
  try {
    await fill(server, kind, size);
    return `| ${[kind, size, ...(await load(server, size))].join(' | ')} |`;
  } finally {
    await server.stop();
  }
}

async function fill(server: RedisServer, kind: keyof typeof FILL, size: number): Promise<void> {
  const client = server.client();
  // On the clock of revocations, which begins in 2020.
  const until = Math.ceil((Date.now() + HOUR_MS - Date.UTC(2020, 0)) / 1000);
  const names = Array.from({ length: AT_A_TIME }, (_, index) => index);
  for (let at = 0; at < size; at += AT_A_TIME)
    await client.eval(
      FILL[kind],
      0,
      until,
      ...names.map((index) => digestText(digestOf('jti', '', `${at + index}`))),
    );
}

async function load(server: RedisServer, size: number): Promise<string[]> {
  const redis = createRedis(server.url, SILENT);
  const guard = new StoreGuard({ probe: () => pingAll(redis), line: lineOf(redis) });
  const pubSub = new PubSub(redis);
  await whenReady(redis, 10_000);
  const revocations = new Revocations({ store: { redis, guard, pubSub } });
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const [startedAt, cpu] = [performance.now(), process.cpuUsage()];
  revocations.use({ onStoreError: 'closed', staleAfter: 3000, longest: 24 * HOUR_MS, max: 1_000_000 });
  while (revocations.state !== 'fresh') await sleep(LOOK_MS);
  const tookMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  delay.disable();
  globalThis.gc?.();
  const more = Math.max(0, process.memoryUsage.rss() - before);
  const count = revocations.set.count().held;
  const bytes = revocations.set.bytes;
  revocations.stop();
  guard.close();
  pubSub.close();
  closeRedis(redis);
  if (count !== size) throw new Error(`${count} of ${size} revocations are known`);
  return [
    tookMs.toFixed(0),
    ((user + system) / 1000).toFixed(0),
    (delay.percentile(99) / NANOSECONDS_PER_MS).toFixed(1),
    (delay.max / NANOSECONDS_PER_MS).toFixed(1),
    (bytes / MIB).toFixed(1),
    (more / MIB).toFixed(0),
  ];
}
