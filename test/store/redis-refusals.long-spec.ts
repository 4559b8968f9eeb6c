import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../src/listeners/free-port.ts';
import { call } from '../support/client.ts';
import { startGateway, type LogLine, type TestGateway } from '../support/gateway.ts';
import { GroupNode } from '../support/redis-group.ts';
import { startUpstream } from '../support/upstream.ts';

// Servers that load, and that find each other again.
jest.setTimeout(60_000);

const ends: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** A Redis that can be made to refuse, and an operator's connection to it. */
interface Patient {
  readonly node: GroupNode;
  readonly folder: string;
  ask(...command: readonly (string | number)[]): Promise<unknown>;
}

/** A state of Redis in which it answers, and refuses what is asked. */
interface Refusal {
  /** What its answers begin with. */
  readonly code: string;
  /** Whether it refuses a ping as well: who was late first hears of nothing else then. */
  readonly isDeaf?: boolean;
  /** Of the server. */
  readonly args?: readonly string[];
  begin(redis: Patient): Promise<unknown>;
  end(redis: Patient): Promise<unknown>;
}

const DUMP = 'dump.rdb';
/** It loads for a minute, if nobody has mercy, and answers every few ms meanwhile. */
const [KEYS, SLOW_LOAD_US] = [100_000, 500];

const fill = ({ ask }: Patient): Promise<unknown> => ask('DEBUG', 'POPULATE', KEYS, 'filler', 100);

const setting = (name: string, bad: string, good: string): Pick<Refusal, 'begin' | 'end'> => ({
  begin: ({ ask }) => ask('CONFIG', 'SET', name, bad),
  end: ({ ask }) => ask('CONFIG', 'SET', name, good),
});

const REFUSALS: Readonly<Record<string, Refusal>> = {
  'is full': { code: 'OOM', ...setting('maxmemory', '1', '0') },
  'has too few replicas': { code: 'NOREPLICAS', ...setting('min-replicas-to-write', '1', '0') },
  'does not let its user run scripts': {
    code: 'NOPERM',
    begin: ({ ask }) => ask('ACL', 'SETUSER', 'default', '-@scripting'),
    end: ({ ask }) => ask('ACL', 'SETUSER', 'default', '+@all'),
  },
  'cannot write to its disk': {
    code: 'MISCONF',
    args: ['--save', '3600 1000000'],
    begin: async ({ ask, folder }) => {
      // What is written cannot get its name.
      mkdirSync(join(folder, DUMP));
      await ask('BGSAVE');
      await until(async () => String(await ask('INFO', 'persistence')).includes('bgsave_status:err'));
    },
    end: ({ ask, folder }) => {
      rmdirSync(join(folder, DUMP));
      return ask('BGSAVE');
    },
  },
  'has not heard of its master': {
    code: 'MASTERDOWN',
    args: ['--replica-serve-stale-data', 'no'],
    begin: ({ ask }) => ask('REPLICAOF', '127.0.0.1', 1),
    end: ({ ask }) => ask('REPLICAOF', 'NO', 'ONE'),
  },
  'is a node of a Cluster that is down': {
    code: 'CLUSTERDOWN',
    args: ['--cluster-enabled', 'yes'],
    begin: ({ ask }) => ask('CLUSTER', 'DELSLOTSRANGE', 0, 16_383),
    end: ({ ask }) => ask('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383),
  },
  'is busy with a script of somebody else': {
    code: 'BUSY',
    isDeaf: true,
    args: ['--busy-reply-threshold', '1'],
    begin: async ({ node }) => void endless(node),
    end: ({ ask }) => ask('SCRIPT', 'KILL'),
  },
  'loads its data': {
    code: 'LOADING',
    isDeaf: true,
    args: ['--enable-debug-command', 'yes', '--loading-process-events-interval-bytes', '1024'],
    begin: async (redis) => {
      await fill(redis);
      await redis.ask('CONFIG', 'SET', 'key-load-delay', SLOW_LOAD_US);
      void redis.node.ask('DEBUG', 'RELOAD').catch(() => undefined);
    },
    end: ({ ask }) => ask('CONFIG', 'SET', 'key-load-delay', 0),
  },
};

function endless(node: GroupNode): Promise<unknown> {
  return node.ask('EVAL', 'while true do end', 0).catch(() => undefined);
}

async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await sleep(5);
}

async function startPatient(more: readonly string[] = []): Promise<Patient> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-refusals-'));
  const port = await freePort();
  const isCluster = more.includes('--cluster-enabled');
  const bus = isCluster ? ['--cluster-port', String(await freePort())] : [];
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--dbfilename', DUMP];
  const node = await new GroupNode(port, [
    ...args,
    '--save',
    '',
    '--appendonly',
    'no',
    ...more,
    ...bus,
  ]).start();
  // Whatever state Redis is in, its operator is let in.
  const operator = new Redis({ port, host: '127.0.0.1', enableReadyCheck: false });
  operator.on('error', () => undefined);
  ends.push(async () => {
    operator.disconnect();
    await node.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  const ask: Patient['ask'] = (...command) => operator.call(...(command.map(String) as [string]));
  if (isCluster) {
    await ask('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
    await until(async () => String(await ask('CLUSTER', 'INFO')).includes('cluster_state:ok'));
  }
  return { node, folder, ask };
}

const PLENTY = { rate: 1_000_000, per: '1s', burst: 1_000_000 };

async function startBefore({ node }: Patient): Promise<TestGateway> {
  const upstream = await startUpstream((_, response) => response.end('answer'));
  ends.push(() => upstream.stop());
  const route = (id: string, policies: object) => ({
    id,
    match: { path: `/${id}` },
    upstream: 'it',
    policies: { authentication: 'public', ...policies },
  });
  const config = {
    version: 1,
    floodLimit: 'off',
    upstreams: { it: { targets: [upstream.url] } },
    routes: [
      route('local', { rateLimit: { ...PLENTY, onStoreError: 'local' } }),
      route('open', { rateLimit: { ...PLENTY, onStoreError: 'open' } }),
      route('closed', { rateLimit: { ...PLENTY, onStoreError: 'closed' } }),
      route('keyed', { idempotency: { required: true, anonymous: 'address' } }),
    ],
  };
  const environment = { REDIS_URL: `redis://127.0.0.1:${node.port}` };
  const gateway = await startGateway({ config: JSON.stringify(config), environment });
  ends.push(() => gateway.stop());
  return gateway;
}

/** What a gateway says to somebody who asks all of its routes, by what may be said. */
class Asker {
  readonly said = new Set<string>();
  readonly #gateway: TestGateway;
  #keys = 0;

  constructor(gateway: TestGateway) {
    this.#gateway = gateway;
  }

  async all(): Promise<readonly string[]> {
    const headers = { 'idempotency-key': `key-${(this.#keys += 1)}` };
    const answers = await Promise.all([
      ...['local', 'open', 'closed'].map((path) => call(`${this.#gateway.url}/${path}`)),
      call(`${this.#gateway.url}/keyed`, { method: 'POST', headers, body: '{}' }),
    ]);
    return answers.map(({ status, text }) => {
      const one = status === 200 ? '200' : `${status} ${(JSON.parse(text) as { code: string }).code}`;
      this.said.add(one);
      return one;
    });
  }
}

const isOff = ({ store, use }: LogLine): boolean => store === 'off' && use === 'limits';
const OK = ['200', '200', '200', '200'];
const ILL = ['200', '200', '503 limiter-unavailable', '503 idempotency-unavailable'];

async function metric({ adminUrl }: TestGateway, line: string): Promise<number> {
  const { text } = await call(`${adminUrl}/metrics`);
  return Number(
    text
      .split('\n')
      .find((one) => one.startsWith(line))
      ?.slice(line.length) ?? 0,
  );
}

const isUp = (gateway: TestGateway, use: string): Promise<number> =>
  metric(gateway, `gatehouse_store_use_up{use="${use}"} `);

async function eventuallySays(asker: Asker, expected: readonly string[]): Promise<void> {
  let said: readonly string[] = [];
  await until(async () => (said = await asker.all()).join() === expected.join());
  expect(said).toEqual(expected);
}

describe('a Redis that', () => {
  it.each(Object.entries(REFUSALS))(
    '%s is done without: nothing is a 500, it is said once, and it is used again by itself',
    async (_, { code, isDeaf = false, args, begin, end }) => {
      const redis = await startPatient(args);
      const gateway = await startBefore(redis);
      const asker = new Asker(gateway);
      await eventuallySays(asker, OK);
      await begin(redis);
      await eventuallySays(asker, ILL);
      // On a busy machine it may have been late first; what it refuses is not taken for well because it answers a ping.
      const reasons = () => gateway.lines.filter(isOff).map(({ reason }) => reason);
      const isTold = () => reasons().includes(code);
      for (let turn = 0; turn < 50 || (!isTold() && !isDeaf); turn += 1) await asker.all();
      expect(isDeaf ? [code, 'no answer within 10 ms'] : [code]).toContain(reasons().at(-1));
      expect(await isUp(gateway, 'limits')).toBe(0);
      expect((await call(`${gateway.url}/health/ready`)).json()).toMatchObject({
        details: { store: { state: 'degraded', without: expect.arrayContaining(['limits']) } },
      });
      await end(redis);
      await eventuallySays(asker, OK);
      await until(async () => (await isUp(gateway, 'limits')) === 1);
      expect(await metric(gateway, 'gatehouse_store_switches_total{use="limits",to="off"} ')).toBe(
        gateway.lines.filter(isOff).length,
      );
      expect([...asker.said].toSorted()).toEqual([...new Set([...OK, ...ILL])].toSorted());
    },
  );

  it('comes back with so much that it loads for long is waited for, and meanwhile done without', async () => {
    const args = ['--enable-debug-command', 'yes', '--loading-process-events-interval-bytes', '1024'];
    const redis = await startPatient(args);
    await fill(redis);
    await redis.ask('SAVE');
    const gateway = await startBefore(redis);
    const asker = new Asker(gateway);
    await eventuallySays(asker, OK);
    await redis.node.kill();
    await eventuallySays(asker, ILL);
    await redis.node.start(/Server initialized/, ['--key-load-delay', String(SLOW_LOAD_US)]);
    await until(async () =>
      String(await redis.ask('INFO', 'persistence').catch(() => '')).includes('loading:1'),
    );
    for (let turn = 0; turn < 50; turn += 1) expect(await asker.all()).toEqual(ILL);
    expect(await isUp(gateway, 'connection')).toBe(0);
    await redis.ask('CONFIG', 'SET', 'key-load-delay', 0);
    await eventuallySays(asker, OK);
    expect(await isUp(gateway, 'connection')).toBe(1);
    const isOfLine = ({ msg }: LogLine): boolean => /^Redis is (connected|not reachable)/.test(msg);
    expect(gateway.lines.filter(isOfLine).map(({ msg }) => msg.split(':')[0])).toEqual([
      'Redis is connected',
      'Redis is not reachable',
      'Redis is connected',
    ]);
    expect([...asker.said].toSorted()).toEqual([...new Set([...OK, ...ILL])].toSorted());
  });
});
