import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../src/listeners/free-port.ts';
import type { GatewayStart, World } from '../chaos/world.ts';
import { took } from '../chaos/world.ts';
import { readMetrics, sumOf } from '../metrics.ts';
import type { Subject } from '../stand.ts';
import type { Haproxy } from './haproxy.ts';

/** Longer than HAProxy takes to notice (400 ms, and the time of a check), also on a busy machine. */
export const DRAIN_DELAY_MS = 2000;
const SHUTDOWN_TIMEOUT_MS = 4000;
const READY_WITHIN_MS = 60_000;
/** Between a replica that is back and the next one that goes. */
const PAUSE_MS = 500;

/** How a replica ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
  readonly ms: number;
}

/** The configuration of a replica that listens on a port. */
export type ReplicaConfig = (port: number, index: number) => object;

/** How one replica is started. */
export type ReplicaStart = (index: number) => GatewayStart;

/** One gateway, which is replaced by another one on the same ports. */
export interface Replica {
  readonly port: number;
  readonly adminPort: number;
  subject: Subject;
}

/** Gateways with one configuration, each on ports of its own that its successors have as well. */
export class Fleet {
  readonly replicas: readonly Replica[];
  readonly #world: World;
  readonly #config: ReplicaConfig;
  readonly #start: ReplicaStart;

  private constructor(
    world: World,
    config: ReplicaConfig,
    start: ReplicaStart,
    replicas: readonly Replica[],
  ) {
    this.#world = world;
    this.#config = config;
    this.#start = start;
    this.replicas = replicas;
  }

  /** Starts so many, with Redis where the stand has one. */
  static async start(
    world: World,
    config: ReplicaConfig,
    size: number,
    how: ReplicaStart = () => ({}),
  ): Promise<Fleet> {
    const replicas: Replica[] = [];
    while (replicas.length < size) {
      const [port, adminPort] = [await freePort(), await freePort()];
      const subject = await launch(world, config, how(replicas.length), {
        port,
        adminPort,
        index: replicas.length,
      });
      replicas.push({ port, adminPort, subject });
    }
    const fleet = new Fleet(world, config, how, replicas);
    await Promise.all(replicas.map(({ port }) => untilReady(port)));
    return fleet;
  }

  get ports(): readonly number[] {
    return this.replicas.map(({ port }) => port);
  }

  get subjects(): readonly Subject[] {
    return this.replicas.map(({ subject }) => subject);
  }

  /** Has each end, and another one start in its place, one after the other. */
  async roll(haproxy: Haproxy): Promise<readonly Ending[]> {
    const endings: Ending[] = [];
    for (const index of this.replicas.keys()) endings.push(await this.rollOne(index, haproxy));
    return endings;
  }

  /** Has one end, and another one start in its place; over once HAProxy sends requests there. */
  async rollOne(index: number, haproxy: Haproxy): Promise<Ending> {
    const ending = await this.replace(index);
    const isUp = async (): Promise<boolean> => (await haproxy.up())[index] === true;
    if ((await took(isUp, READY_WITHIN_MS)) === Infinity) throw new Error('HAProxy does not use a successor');
    await sleep(PAUSE_MS);
    return ending;
  }

  /** Ends one by SIGTERM, waits for it, and starts another one on its ports. */
  async replace(index: number): Promise<Ending> {
    const replica = this.replicas[index] as Replica;
    const { child } = replica.subject;
    const since = performance.now();
    const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
    child.kill('SIGTERM');
    const [code, signal] = await ended;
    const ms = performance.now() - since;
    replica.subject = await launch(this.#world, this.#config, this.#start(index), { ...replica, index });
    await untilReady(replica.port);
    return { code, signal, ms };
  }

  /** Waits until each says that so many share its Redis; all of them, unless told otherwise. */
  async untilCounted(count = this.replicas.length): Promise<void> {
    for (const { adminOrigin } of this.subjects) {
      const isCounted = async (): Promise<boolean> =>
        sumOf(await readMetrics(adminOrigin), 'gatehouse_replicas') === count;
      if ((await took(isCounted, READY_WITHIN_MS)) === Infinity)
        throw new Error('replicas do not see each other');
    }
  }
}

function launch(
  world: World,
  config: ReplicaConfig,
  { flags = [], env = {} }: GatewayStart,
  { port, adminPort, index }: Pick<Replica, 'port' | 'adminPort'> & { readonly index: number },
): Promise<Subject> {
  const own = {
    PORT: String(port),
    ADMIN_PORT: String(adminPort),
    DRAIN_DELAY: `${DRAIN_DELAY_MS}ms`,
    SHUTDOWN_TIMEOUT: `${SHUTDOWN_TIMEOUT_MS}ms`,
  };
  return world.startGateway(config(port, index), { flags, env: { ...own, ...env } });
}

async function untilReady(port: number): Promise<void> {
  const isReady = async (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/health/ready`).then(
      async (answer) => (await answer.text(), answer.status === 200),
      () => false,
    );
  if ((await took(isReady, READY_WITHIN_MS)) === Infinity) throw new Error('a gateway is not ready');
}

/** What readiness of a replica says of Redis, and its status. */
export async function readiness({
  origin,
}: Subject): Promise<{ readonly status: number; readonly store: string }> {
  const answer = await fetch(`${origin}/health/ready`);
  const { details } = (await answer.json()) as {
    readonly details?: { readonly store?: { readonly state: string } };
  };
  return { status: answer.status, store: details?.store?.state ?? 'none' };
}
