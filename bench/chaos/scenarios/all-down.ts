import { setTimeout as sleep } from 'node:timers/promises';
import { usageOf } from '../../cpu.ts';
import { chooseLoadTool, load as closedLoop, type LoadResult } from '../../load.ts';
import { readMetrics, sumOf } from '../../metrics.ts';
import type { Subject } from '../../stand.ts';
import { between, kindsOf, noneFailed, textOf, type ScenarioResult } from '../report.ts';
import { askUsers, configOf, healingOf, untilServed, type World } from '../world.ts';
import { recovered } from './one-of-three.ts';

const NAMES = ['one', 'two', 'three'] as const;
const SECONDS = 2;
const OPENS_WITHIN_MS = 1000;
const DURATION = 'gatehouse_request_duration_seconds';
/** Mean time inside the gateway: microseconds. */
const MOST_US = 1000;
const CONNECTIONS = 16;
/** What a client may see while its targets die. */
const FINE = /^(200|502 upstream-(unreachable|response-invalid)|503 circuit-open)$/;

/** What a request costs. */
interface Cost {
  readonly cpuUs: number;
  readonly handlingUs: number;
  readonly result: LoadResult;
}

/** All targets die, and come back: what is refused costs next to nothing. */
export async function allDown(world: World): Promise<ScenarioResult> {
  const targets = await world.startTargets(NAMES);
  const upstream = {
    ...healingOf(world),
    health: {},
    balancing: 'leastRequests',
    circuitBreaker: { consecutiveFailures: 3, openFor: '8s' },
    targets: targets.map(({ url }) => url),
  };
  const gateway = await world.startGateway(configOf(upstream));
  await costOf(world, gateway);
  const wellCost = await costOf(world, gateway);
  const load = askUsers(world, gateway);
  await untilServed(load, NAMES, 0);
  const diedAt = performance.now();
  await Promise.all(targets.map((target) => target.kill()));
  await sleep(OPENS_WITHIN_MS);
  const openAt = performance.now();
  const refused = await costOf(world, gateway);
  const measuredAt = performance.now();
  await Promise.all(targets.map((target) => target.restart()));
  const backAt = performance.now();
  const recovery = await untilServed(load, NAMES, backAt);
  const wellAt = performance.now();
  await sleep(OPENS_WITHIN_MS);
  await load.stop();
  const [opening, open, well] = [
    between(load.seen, diedAt, openAt),
    between(load.seen, openAt, measuredAt),
    between(load.seen, wellAt),
  ];
  const kinds = kindsOf(open);
  const strange = Object.keys(kindsOf(opening)).filter((kind) => !FINE.test(kind));
  const { cpuUs, handlingUs, result } = refused;
  return {
    parts: [
      { part: 'dying', seen: opening },
      { part: 'down', seen: open },
      { part: 'well again', seen: well },
    ],
    outcomes: [
      { kept: strange.length === 0, line: `fails with its own problems only: ${strange.join() || 'yes'}` },
      {
        kept: Object.keys(kinds).join() === '503 circuit-open',
        line: `all are refused, with Retry-After: ${textOf(kinds)}`,
      },
      {
        kept: handlingUs < MOST_US && result.failures === result.requests,
        line: `refused in microseconds: ${handlingUs.toFixed(0)} us inside the gateway and ${cpuUs.toFixed(1)} us of CPU each (${result.requests} requests, p50 ${result.p50Ms.toFixed(2)} ms); a request that is served has ${wellCost.handlingUs.toFixed(0)} and ${wellCost.cpuUs.toFixed(1)}`,
      },
      recovered(recovery),
      noneFailed(well, 'no request fails once all are well'),
    ],
  };
}

async function costOf({ stand }: World, gateway: Subject): Promise<Cost> {
  const before = [usageOf(gateway.pid).cpuUs, await handled(gateway)] as const;
  const request = { method: 'GET', path: '/users', headers: { accept: 'application/json' } } as const;
  const result = await closedLoop(chooseLoadTool(), {
    origin: gateway.origin,
    isHttp2: false,
    request,
    tokens: [],
    connections: CONNECTIONS,
    seconds: SECONDS,
    core: stand.cores.others,
    folder: stand.folder,
  });
  const after = [usageOf(gateway.pid).cpuUs, await handled(gateway)] as const;
  const [seconds, count] = [after[1].seconds - before[1].seconds, after[1].count - before[1].count];
  return { cpuUs: (after[0] - before[0]) / count, handlingUs: (1e6 * seconds) / count, result };
}

async function handled({
  adminOrigin,
}: Subject): Promise<{ readonly seconds: number; readonly count: number }> {
  const metrics = await readMetrics(adminOrigin);
  return { seconds: sumOf(metrics, `${DURATION}_sum`), count: sumOf(metrics, `${DURATION}_count`) };
}
