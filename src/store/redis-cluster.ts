import { connect as connectTcp, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import type { Cluster, Redis } from 'ioredis';
import type { RedisAccess } from '../config/redis-access.ts';
import type { RedisPlace } from '../config/redis-url.ts';
import { redisFault } from './redis-fault.ts';
import type { RedisLine } from './redis-line.ts';
import { CONNECTION, credentials, retryAfter, type RedisOptions } from './redis-options.ts';
import { sendTogether } from './send-together.ts';

type Library = typeof import('ioredis');

/** How a Cluster is opened. */
export interface ClusterNeeds {
  readonly place: RedisPlace;
  readonly access: RedisAccess;
  readonly line: RedisLine;
  /** Whether it was closed on purpose. */
  isClosed(redis: Redis): boolean;
}

/** How often a Cluster that has lost a node is asked who has its keys now. */
const LOOK_AGAIN_MS = 250;
const SLOTS_TIMEOUT_MS = 500;
const SLOTS_INTERVAL_MS = 5000;
/** Redirections of one command: a slot that moves takes two. */
const REDIRECTIONS = 4;
/** So many attempts at a node, while no other is there, before the nodes of the URL are asked again. */
const ATTEMPTS = 8;

/** Whether a connection is to a Cluster. */
export function isCluster(redis: Redis): boolean {
  return redis.isCluster;
}

/** The nodes of a Cluster that have keys of their own; the connection itself where there is no Cluster. */
export function mastersOf(redis: Redis): readonly Redis[] {
  return isCluster(redis) ? asCluster(redis).nodes('master') : [redis];
}

/** Those of {@link mastersOf} that there is a connection to. */
export function readyMasters(redis: Redis): readonly Redis[] {
  return mastersOf(redis).filter(({ status }) => status === 'ready');
}

/**
 * Opens connections to all masters of a Cluster, at once and not with the first command that needs one. No command is sent twice:
 * but for those that a node has refused because another one has the keys.
 */
export function openCluster({ Cluster }: Library, { place, access, line, isClosed }: ClusterNeeds): Redis {
  const { enableOfflineQueue, retryStrategy: _, ...connection } = CONNECTION;
  const cluster: Cluster = new Cluster([...place.hosts], {
    enableOfflineQueue,
    clusterRetryStrategy: retryAfter,
    clusterNodeRetryStrategy: (times) =>
      times > ATTEMPTS && readyMasters(asRedis(cluster)).length === 0 ? null : retryAfter(times),
    maxRedirections: REDIRECTIONS,
    // By default ioredis sends again what may have been executed when a connection ends.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    retryDelayOnTryAgain: 0,
    slotsRefreshTimeout: SLOTS_TIMEOUT_MS,
    slotsRefreshInterval: SLOTS_INTERVAL_MS,
    // Names stay names, which certificates are for.
    dnsLookup: (host, found) => found(null, host),
    redisOptions: { ...connection, ...credentials(place, access) },
  });
  const redis = asRedis(cluster);
  watchNodes(cluster, line, () => isClosed(redis));
  let reason = 'the Cluster is not whole';
  cluster.on('error', (error: Error & { lastNodeError?: Error }) => {
    reason = redisFault(error.lastNodeError ?? error);
  });
  cluster.on('close', () => {
    if (!isClosed(redis)) line.down(reason);
  });
  return redis;
}

function watchNodes(cluster: Cluster, line: RedisLine, isClosed: () => boolean): void {
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    if (isClosed()) return;
    const masters = cluster.nodes('master');
    for (const node of masters) if (node.status === 'wait') node.connect().catch(() => undefined);
    const isWhole = masters.every(({ status }) => status === 'ready');
    const isUp = cluster.status === 'ready' && masters.some(({ status }) => status === 'ready');
    if (isUp) line.up();
    // Where a replica has taken over, nobody tells of it.
    if (!isWhole) timer ??= setTimeout(() => again(), LOOK_AGAIN_MS).unref();
  };
  const again = (): void => {
    timer = undefined;
    if (cluster.status === 'ready') cluster.refreshSlotsCache(look);
    else look();
  };
  cluster.on('refresh', () => setImmediate(look)).on('ready', look);
  cluster.on('-node', (node: Redis) => line.nodeGone(nameOf(node)));
  cluster.on('+node', (node: Redis) => {
    let reason = 'the connection was closed';
    node.on('connect', () => sendTogether(node.stream));
    node.on('error', (error: Error) => (reason = redisFault(error)));
    node.on('ready', () => {
      line.nodeUp(nameOf(node));
      look();
    });
    node.on('close', () => {
      if (isClosed() || !cluster.nodes('master').includes(node)) return;
      line.nodeDown(nameOf(node), reason);
      if (readyMasters(asRedis(cluster)).length === 0) line.down(reason);
      look();
    });
  });
}

/** Opens a connection to one node of a Cluster, and to another one when that is gone. */
export function besideCluster(library: Library, redis: Redis, options: RedisOptions): Redis {
  const { replyMapping: _, ...own } = asCluster(redis).options.redisOptions ?? {};
  const Connector = connectorTo(redis, library);
  return new library.Redis({ ...CONNECTION, ...own, ...options, Connector });
}

function connectorTo(cluster: Redis, { AbstractConnector }: Library) {
  return class AnyNode extends AbstractConnector {
    constructor() {
      super(CONNECTION.disconnectTimeout);
    }

    async connect(): Promise<Socket> {
      this.connecting = true;
      let node: Redis | undefined;
      // A connector that fails is not asked again.
      while ((node = anyOf(readyMasters(cluster))) === undefined) {
        await sleep(LOOK_AGAIN_MS, undefined, { ref: false });
        if (!this.connecting) throw new Error('Connection is closed.');
      }
      const { host = '', port = 0, tls } = node.options;
      const stream = tls === undefined ? connectTcp(port, host) : connectTls({ ...tls, host, port });
      stream.once('error', (error) => (this.firstError = error));
      this.stream = stream;
      return stream;
    }
  };
}

function anyOf(nodes: readonly Redis[]): Redis | undefined {
  return nodes[Math.floor(Math.random() * nodes.length)];
}

/** Names a node as its log lines do. */
function nameOf({ options }: Redis): string {
  return `${options.host}:${options.port}`;
}

function asRedis(cluster: Cluster): Redis {
  return cluster as unknown as Redis;
}

function asCluster(redis: Redis): Cluster {
  return redis as unknown as Cluster;
}
