import { setTimeout as sleep } from 'node:timers/promises';
import { entry, FakeConsul } from '../../../src/upstreams/discovery/consul/consul.fixture.ts';
import { Dnsmasq } from '../../../test/support/dnsmasq.ts';
import type { Subject } from '../../stand.ts';
import { between, noneFailed, type Outcome, type ScenarioResult } from '../report.ts';
import {
  admin,
  askUsers,
  ChaosTarget,
  configOf,
  healingOf,
  took,
  untilServed,
  type World,
} from '../world.ts';

const STEADY_MS = 1500;
const OUTAGE_MS = 1200;
const LOOK_MS = 50;
/** The time to live of records, and as much again for everything else. */
const DNS_CHANGES_WITHIN_MS = 2500;
/** The longest wait after as many failures in a row as there are here, and as much again. */
const CONSUL_CHANGES_WITHIN_MS = 20_000;

/** Addresses of a name change while the name server lives; then it dies. */
export async function dnsChange(world: World): Promise<ScenarioResult> {
  const first = world.adopt(await ChaosTarget.start(world.stand, 'one', '127.0.0.2'));
  const { port } = first;
  const more = ['two', 'three', 'four'].map((name, index) =>
    ChaosTarget.start(world.stand, name, `127.0.0.${index + 3}`, port),
  );
  for (const target of await Promise.all(more)) world.adopt(target);
  const hosts = (lasts: readonly number[]): string[] => lasts.map((last) => `127.0.0.${last} users.test`);
  const server = await Dnsmasq.start(hosts([2, 3, 4]), ['--local-ttl=1']);
  try {
    const dns = { name: 'users.test', port, servers: [`127.0.0.1:${server.port}`] };
    const discovery = { dns: { ...dns, minTtl: '100ms', timeout: '500ms' } };
    const gateway = await world.startGateway(configOf({ ...healingOf(world), discovery }));
    const load = askUsers(world, gateway);
    await untilServed(load, ['one', 'two', 'three'], 0);
    await sleep(STEADY_MS);
    const changedAt = performance.now();
    server.change(hosts([3, 4, 5]));
    const cameAfter = await untilServed(load, ['four'], changedAt);
    await sleep(STEADY_MS);
    const diedAt = performance.now();
    server.stop();
    const size = await leastTargets(gateway, OUTAGE_MS * 2);
    await load.stop();
    const late = between(load.seen, changedAt + DNS_CHANGES_WITHIN_MS).filter(
      ({ servedBy }) => servedBy === 'one',
    );
    return {
      parts: [
        { part: 'before', seen: between(load.seen, 0, changedAt) },
        { part: 'changed', seen: between(load.seen, changedAt, diedAt) },
        { part: 'no name server', seen: between(load.seen, diedAt) },
      ],
      outcomes: [
        noneFailed(load.seen),
        {
          kept: cameAfter <= DNS_CHANGES_WITHIN_MS,
          line: `a new address is called after ${cameAfter.toFixed(0)} ms, with a time to live of 1 s`,
        },
        { kept: late.length === 0, line: `one that is gone is called no more: ${late.length} were` },
        kept(size, 3),
      ],
    };
  } finally {
    server.stop();
  }
}

/** The registry answers nonsense, fails, is silent, cuts, and is gone; then it is back with other targets. */
export async function registryOutage(world: World): Promise<ScenarioResult> {
  const targets = await world.startTargets(['one', 'two', 'three', 'four']);
  const list = (some: readonly ChaosTarget[]): readonly unknown[] =>
    some.map(({ name, host, port }) => entry({ ID: name, Address: host, Port: port }));
  const consul = new FakeConsul();
  consul.list = list(targets.slice(0, 3));
  await consul.start();
  const { url } = consul;
  try {
    const discovery = { consul: { service: 'users', url, wait: '1s' } };
    const gateway = await world.startGateway(configOf({ ...healingOf(world), discovery }));
    const load = askUsers(world, gateway);
    await untilServed(load, ['one', 'two', 'three'], 0);
    await sleep(STEADY_MS);
    const brokeAt = performance.now();
    const sizes: number[] = [];
    for (const ill of illnesses(consul, world)) {
      ill();
      sizes.push(await leastTargets(gateway, OUTAGE_MS));
    }
    consul.stop();
    sizes.push(await leastTargets(gateway, OUTAGE_MS));
    consul.instead = undefined;
    consul.list = list(targets.slice(1));
    consul.index += 1;
    await consul.start(Number(new URL(url).port));
    const backAt = performance.now();
    const cameAfter = await took(
      () => load.seen.some(({ servedBy }) => servedBy === 'four'),
      CONSUL_CHANGES_WITHIN_MS,
    );
    await sleep(STEADY_MS);
    await load.stop();
    const backSeen = between(load.seen, backAt);
    return {
      parts: [
        { part: 'before', seen: between(load.seen, 0, brokeAt) },
        { part: 'registry ill', seen: between(load.seen, brokeAt, backAt) },
        { part: 'back', seen: backSeen },
      ],
      outcomes: [
        noneFailed(load.seen),
        kept(Math.min(...sizes), 3),
        {
          kept: cameAfter !== Infinity,
          line: `what it says is heeded again after ${cameAfter.toFixed(0)} ms`,
        },
      ],
    };
  } finally {
    consul.stop();
  }
}

/** Ways to be ill, in an order of the seed. */
function illnesses(consul: FakeConsul, world: World): readonly (() => void)[] {
  const ways: (() => void)[] = [
    () => (consul.instead = (response) => void response.writeHead(500).end('No cluster leader')),
    () => (consul.instead = () => undefined),
    () => (consul.instead = (response) => void response.socket?.resetAndDestroy()),
    () => (consul.instead = (response) => void response.end('[{"Service": 7')),
  ];
  const order = ways.map((way) => [world.random(), way] as const).sort(([a], [b]) => a - b);
  return order.map(([, way]) => () => {
    way();
    consul.cut();
  });
}

/** The fewest targets that are in use within a time. */
async function leastTargets(gateway: Subject, forMs: number): Promise<number> {
  let least = Infinity;
  for (const until = performance.now() + forMs; performance.now() < until; await sleep(LOOK_MS)) {
    const [source] = await admin<{ targets: unknown[] }[]>(gateway, '/discovery');
    least = Math.min(least, source?.targets.length ?? 0);
  }
  return least;
}

function kept(least: number, wanted: number): Outcome {
  return { kept: least === wanted, line: `nothing empties: at least ${least} of ${wanted} targets in use` };
}
