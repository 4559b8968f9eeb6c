import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stopChild } from '../children.ts';
import type { Stand, Subject } from '../stand.ts';
import type { Lateness } from './lateness.ts';
import { SteadyLoad, type Seen } from '../steady-load.ts';
import type { FaultName, Order, Told } from './target.ts';

/** Requests a second. */
export const PER_SECOND = 200;
/** What targets may be silent for on a quiet machine. */
export const FIRST_BYTE_MS = 400;
/** A target that is well again has calls within this time. */
const RECOVERS_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 10;

/** One target: a process that can be killed, and told to fail. */
export class ChaosTarget {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly #stand: Stand;
  #child: ChildProcess;
  #control: string;

  private constructor(stand: Stand, name: string, host: string, child: ChildProcess, told: Told) {
    this.#stand = stand;
    this.name = name;
    this.host = host;
    this.port = told.port;
    this.#child = child;
    this.#control = told.control;
  }

  /** Starts one; without a port on any. */
  static async start(stand: Stand, name: string, host = '127.0.0.1', port = 0): Promise<ChaosTarget> {
    const { child, told } = await launch(stand, name, host, port);
    return new ChaosTarget(stand, name, host, child, told);
  }

  get url(): string {
    return `http://${this.host}:${this.port}`;
  }

  /** Has it fail from now on, or be well. */
  async tell(fault: FaultName | 'none', seed: number, share = 1): Promise<void> {
    const order: Order = { fault, seed, share };
    await fetch(this.#control, { method: 'PUT', body: JSON.stringify(order) });
  }

  /** Ends its process without a goodbye. */
  async kill(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  /** Starts a process in its place. */
  async restart(): Promise<void> {
    const { child, told } = await launch(this.#stand, this.name, this.host, this.port);
    this.#child = child;
    this.#control = told.control;
  }

  async stop(): Promise<void> {
    await stopChild(this.#child);
  }
}

function launch(stand: Stand, name: string, host: string, port: number) {
  return stand.startTelling<Told>('chaos/target.ts', { NAME: name, HOST: host, PORT: String(port) });
}

/** How a gateway is started, besides its configuration. */
export interface GatewayStart {
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** What a scenario works with. */
export class World {
  readonly stand: Stand;
  /** From 0 to below 1, of the seed. */
  readonly random: () => number;
  readonly lateness: Lateness;
  /** How much slower than a quiet machine this one is as the scenario begins: so much longer are the times of its gateways. */
  readonly slowness: number;
  readonly #targets: ChaosTarget[] = [];
  readonly #gateways: Subject[] = [];

  constructor(stand: Stand, random: () => number, lateness: Lateness) {
    this.stand = stand;
    this.random = random;
    this.lateness = lateness;
    this.slowness = lateness.slowness;
  }

  /** A whole number below another. */
  pick(below: number): number {
    return Math.floor(this.random() * below);
  }

  /** Starts a target for each name. */
  async startTargets(names: readonly string[]): Promise<ChaosTarget[]> {
    const started = await Promise.all(names.map((name) => ChaosTarget.start(this.stand, name)));
    this.#targets.push(...started);
    return started;
  }

  /** Has a target end with the others. */
  adopt(target: ChaosTarget): ChaosTarget {
    this.#targets.push(target);
    return target;
  }

  /** Starts a gateway, as users do. `flags` are for Node. */
  async startGateway(config: object, { flags, env }: GatewayStart = {}): Promise<Subject> {
    const file = join(this.stand.folder, `chaos-${this.#gateways.length}.yaml`);
    writeFileSync(file, JSON.stringify(config));
    const needsRedis = this.stand.redisUrl === undefined ? {} : ({ needsRedis: true } as const);
    const one = { name: 'chaos', config: file, logLevel: 'warn', ...needsRedis } as const;
    const gateway = await this.stand.startGateway(one, flags, env);
    this.#gateways.push(gateway);
    return gateway;
  }

  async close(): Promise<void> {
    await Promise.all(this.#gateways.map(({ child }) => stopChild(child)));
    await Promise.all(this.#targets.map((target) => target.stop()));
  }
}

/** A configuration with one upstream, `users`, and a route to it. */
export function configOf(upstream: object): object {
  return {
    version: 1,
    contracts: { enabled: false },
    defaults: { policies: { authentication: 'public' } },
    upstreams: { users: upstream },
    routes: [{ id: 'users', match: { path: '/users' }, upstream: 'users' }],
  };
}

/**
 * What upstreams here have: quicker than the defaults, so that everything happens within seconds. What a target may take is longer on a
 * slow machine, where one that is well would else seem ill.
 */
export function healingOf({ slowness }: World) {
  const ms = (quiet: number): string => `${Math.round(quiet * slowness)}ms`;
  return {
    timeouts: { connect: ms(500), firstByte: ms(FIRST_BYTE_MS) },
    retry: { attempts: 3, on: ['connect', 'reset', 'timeout', 502, 503, 504] },
    circuitBreaker: { consecutiveFailures: 5, openFor: '500ms', maxOpenFor: '2s' },
    health: {
      active: { path: '/healthz', interval: '1s', edgeInterval: '200ms', timeout: ms(300) },
      passive: { failures: 3, ejectFor: '1s', maxEjectFor: '2s' },
    },
  } as const;
}

/** Begins to ask a gateway, as often as the machine can bear. */
export function askUsers({ lateness }: World, { origin }: Subject): SteadyLoad {
  return new SteadyLoad(`${origin}/users`, { perSecond: lateness.scaled(PER_SECOND) }).start();
}

/** How long after a moment each target has answered a request that came later; `Infinity` where one did not. */
export async function untilServed(
  load: SteadyLoad,
  names: readonly string[],
  since: number,
): Promise<number> {
  const giveUpAt = performance.now() + RECOVERS_WITHIN_MS;
  const first = (name: string): Seen | undefined =>
    load.seen.find(({ servedBy, dueAt }) => servedBy === name && dueAt >= since);
  while (performance.now() < giveUpAt) {
    const answers = names.map(first);
    if (answers.every((one) => one !== undefined))
      return Math.max(...answers.map(({ dueAt }) => dueAt)) - since;
    await sleep(LOOK_EVERY_MS);
  }
  return Infinity;
}

/** What is asked of a gateway's operators' listener. */
export async function admin<T>({ adminOrigin }: Subject, path: string, init?: RequestInit): Promise<T> {
  return (await (await fetch(adminOrigin + path, init)).json()) as T;
}

/** Waits until something holds. @returns how long that took, in ms; `Infinity` when it did not come to it. */
export async function took(holds: () => Promise<boolean> | boolean, mostMs: number): Promise<number> {
  const since = performance.now();
  while (!(await holds())) {
    if (performance.now() - since > mostMs) return Infinity;
    await sleep(2);
  }
  return performance.now() - since;
}
