import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from '../../src/listeners/free-port.ts';
import { killProcess, launchRedis } from './redis-process.ts';

const SLOTS = 16_384;
const MASTER = 'mymaster';

/** A server of a group. */
export class GroupNode {
  readonly port: number;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined = undefined;

  constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.#args = args;
  }

  /** Starts it, or starts it again. @param more arguments of this time. */
  async start(ready?: RegExp, more: readonly string[] = []): Promise<this> {
    this.#child = await launchRedis([...this.#args, ...more], ready);
    return this;
  }

  /** Ends it without a goodbye. */
  async kill(): Promise<void> {
    if (this.#child !== undefined) await killProcess(this.#child);
  }

  /** Stalls it (SIGSTOP): connections stay open, nothing is answered, nobody is told. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  /** Lets a stalled one go on. */
  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Asks it one thing. */
  async ask(...command: readonly [string, ...(string | number)[]]): Promise<unknown> {
    const redis = new Redis({
      port: this.port,
      host: '127.0.0.1',
      lazyConnect: true,
      retryStrategy: () => null,
    });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      return await redis.call(...(command as [string]));
    } finally {
      redis.disconnect();
    }
  }
}

/** Several servers that work together. */
export interface RedisGroup {
  readonly url: string;
  /** Those that keep data. */
  readonly nodes: readonly GroupNode[];
  /** Those that watch over them, where there are any. */
  readonly sentinels?: readonly GroupNode[];
  stop(): Promise<void>;
}

/** How a Cluster is started. */
export interface ClusterOptions {
  /** Whether all slots have to be served for any to be. Default no. */
  readonly fullCoverage?: boolean;
  /** Whether each master has a replica. Default no. */
  readonly replicas?: boolean;
  /** After how long a node counts as lost, in ms. */
  readonly nodeTimeoutMs?: number;
}

/** Starts a Cluster of three masters. */
export async function startCluster({
  fullCoverage = false,
  replicas = false,
  nodeTimeoutMs = 500,
}: ClusterOptions = {}): Promise<RedisGroup> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-cluster-'));
  const rules = [
    '--cluster-node-timeout',
    nodeTimeoutMs,
    '--cluster-require-full-coverage',
    fullCoverage ? 'yes' : 'no',
  ];
  // A replica takes over although it has not heard of its master for a while.
  const more = ['--cluster-replica-validity-factor', 0, '--repl-diskless-sync-delay', 0];
  const size = replicas ? 6 : 3;
  const ports = new Set<number>();
  while (ports.size < size * 2) ports.add(await freePort());
  const free = [...ports];
  const places = free.slice(0, size).map((port, index) => ({ port, bus: free[size + index] as number }));
  const nodes = await Promise.all(
    places.map(({ port, bus }) => {
      const own = ['--cluster-enabled', 'yes', '--cluster-port', bus];
      const file = ['--cluster-config-file', `nodes-${port}.conf`];
      const args = [...serverArgs(port, folder), ...own, ...file, ...rules, ...more].map(String);
      return new GroupNode(port, args).start();
    }),
  );
  const [first] = nodes as [GroupNode];
  for (const { port, bus } of places.slice(1)) await first.ask('CLUSTER', 'MEET', '127.0.0.1', port, bus);
  const masters = nodes.slice(0, 3);
  await Promise.all(
    masters.map((node, index) => {
      const [from, to] = [Math.floor((SLOTS * index) / 3), Math.floor((SLOTS * (index + 1)) / 3) - 1];
      return node.ask('CLUSTER', 'ADDSLOTSRANGE', from, to);
    }),
  );
  await until(nodes, async (node) => {
    const known = String(await node.ask('CLUSTER', 'NODES'))
      .trim()
      .split('\n');
    return known.length === nodes.length && !known.some((line) => line.includes('handshake'));
  });
  for (const [index, node] of nodes.slice(3).entries())
    await node.ask(
      'CLUSTER',
      'REPLICATE',
      String(await (masters[index] as GroupNode).ask('CLUSTER', 'MYID')),
    );
  await until(nodes, async (node) => String(await node.ask('CLUSTER', 'INFO')).includes('cluster_state:ok'));
  await until(nodes.slice(3), async (node) =>
    String(await node.ask('INFO', 'replication')).includes('link_status:up'),
  );
  const url = `redis+cluster://${masters.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
  return { url, nodes, stop: () => stopAll(nodes, folder) };
}

/** Starts a master, a replica, and three Sentinels. */
export async function startSentinels(downAfterMs = 400): Promise<RedisGroup> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-sentinel-'));
  const [port, other] = [await freePort(), await freePort()];
  const more = ['--repl-diskless-sync-delay', '0', '--repl-backlog-size', '1mb'];
  const master = await new GroupNode(port, [...serverArgs(port, folder), ...more]).start();
  const replicaOf = ['--replicaof', `127.0.0.1 ${port}`];
  const replica = await new GroupNode(other, [...serverArgs(other, folder), ...more, ...replicaOf]).start();
  await until([replica], async (node) =>
    String(await node.ask('INFO', 'replication')).includes('link_status:up'),
  );
  const sentinels: GroupNode[] = [];
  for (let i = 0; i < 3; i += 1) {
    const own = await freePort();
    const file = join(folder, `sentinel-${i}.conf`);
    writeFileSync(
      file,
      `port ${own}\nbind 127.0.0.1\ndir ${folder}\nsentinel monitor ${MASTER} 127.0.0.1 ${port} 2\n` +
        `sentinel down-after-milliseconds ${MASTER} ${downAfterMs}\nsentinel failover-timeout ${MASTER} 1000\n`,
    );
    sentinels.push(await new GroupNode(own, [file, '--sentinel']).start(/\+monitor/));
  }
  await until(sentinels, async (node) => {
    const facts = (await node.ask('SENTINEL', 'MASTER', MASTER)) as string[];
    const fact = (name: string): string | undefined => facts[facts.indexOf(name) + 1];
    return fact('num-other-sentinels') === '2' && fact('num-slaves') === '1';
  });
  const url = `redis+sentinel://${sentinels.map((one) => `127.0.0.1:${one.port}`).join(',')}/${MASTER}`;
  const nodes = [master, replica];
  return { url, nodes, sentinels, stop: () => stopAll([...nodes, ...sentinels], folder) };
}

function serverArgs(port: number, folder: string): string[] {
  return ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
}

async function stopAll(nodes: readonly GroupNode[], folder: string): Promise<void> {
  await Promise.all(nodes.map((node) => node.kill()));
  rmSync(folder, { recursive: true, force: true });
}

async function until(
  nodes: readonly GroupNode[],
  holds: (node: GroupNode) => Promise<boolean>,
): Promise<void> {
  for (const node of nodes) while (!(await holds(node).catch(() => false))) await sleep(20);
}
