import { randomBytes } from 'node:crypto';
import { execFileSync, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from '../../src/listeners/free-port.ts';
import { startChild, stopChild, untilListening } from '../children.ts';
import { onPath } from '../machine.ts';
import { BIN, START_FLAGS, type Stand } from '../stand.ts';
import type { Place } from './network.ts';
import { RedisSwitch, type Side } from './redis-switch.ts';

/** The ways to limit that are compared; each is a route. */
export const LIMITS = ['none', 'exact', 'leased'] as const;
export type Limited = (typeof LIMITS)[number];

/** Messages of others that are heard all the while, a second. */
const NEWS_PER_SECOND = 2;
/** Whoever connects anew reads all that are revoked: they do not become more. */
const REVOKED = 100;
const STARTED_AT_ONCE = 3;
const CONNECTED_AGAIN_MS = 1500;
/** Longer than it takes until a token is revoked once more: a key that expires is told of, too. */
const KEPT_MS = 3_600_000;
/** Far above what is asked: what is measured is what it costs to count. */
const RATE = 1e6;

/** Where a fleet is, and how many it has. */
export interface FleetOptions {
  /** One for each replica. */
  readonly places: readonly Place[];
  readonly redisUrl: string;
  /** One for each replica, of a fleet that now shares a Redis and now does not. */
  readonly ownUrls?: readonly string[];
}

/** Gateways of one configuration behind HAProxy. The gateways share a core, everything else another one. */
export class Fleet {
  readonly #stand: Stand;
  readonly #options: FleetOptions;
  // For the bench: what was asked, and news.
  readonly #shared: Redis;
  readonly #own: readonly Redis[];
  readonly #gateways: { readonly child: ChildProcess; readonly host: string; readonly port: number }[] = [];
  #balancer: ChildProcess | undefined = undefined;
  #origin = '';
  #switch: RedisSwitch | undefined = undefined;
  #isShared = true;
  #stopNews: readonly (() => void)[] = [];

  constructor(stand: Stand, options: FleetOptions) {
    this.#stand = stand;
    this.#options = options;
    this.#shared = new Redis(options.redisUrl);
    this.#own = (options.ownUrls ?? []).map((url) => new Redis(url));
  }

  /** Those that its gateways ask as they are arranged now. */
  get redises(): readonly Redis[] {
    return this.#isShared ? [this.#shared] : this.#own;
  }

  /** How many gateways it has. */
  get replicas(): number {
    return this.#options.places.length;
  }

  /** Where the Redis is that they share. */
  get redisUrl(): string {
    return this.#options.redisUrl;
  }

  /** Of the gateways. */
  get pids(): readonly number[] {
    return this.#gateways.map(({ child }) => child.pid ?? 0);
  }

  /** Where to ask them. */
  get origin(): string {
    return this.#origin;
  }

  /** Starts them, and has them hear news from now on. */
  async start(): Promise<void> {
    const config = join(this.#stand.folder, 'law.yaml');
    writeFileSync(config, JSON.stringify(configOf(this.#stand.env['BACKEND'] ?? '')));
    const { places, redisUrl, ownUrls } = this.#options;
    if (ownUrls !== undefined) this.#switch = await RedisSwitch.start(this.#stand, redisUrl, ownUrls);
    // A few at a time: each has so long to listen, and all of them would share the time.
    for (let at = 0; at < places.length; at += STARTED_AT_ONCE) {
      const some = places.slice(at, at + STARTED_AT_ONCE).map((place, index) => {
        return this.#start(place, at + index, config);
      });
      this.#gateways.push(...(await Promise.all(some)));
    }
    await this.#balance();
    this.#stopNews = [this.#shared, ...this.#own].map(tellNews);
  }

  /** Has its gateways share a Redis, or each ask its own one; they connect anew in any case, so that nobody is spared what others go through. */
  async turnTo(side: Side): Promise<void> {
    if (this.#switch === undefined) throw new Error('the gateways of this fleet have no Redis of their own');
    this.#isShared = side === 'shared';
    await this.#switch.turnTo(side);
    await sleep(CONNECTED_AGAIN_MS);
  }

  async close(): Promise<void> {
    for (const stop of this.#stopNews) stop();
    for (const redis of [this.#shared, ...this.#own]) redis.disconnect();
    const children = [this.#balancer, this.#switch?.child, ...this.#gateways.map(({ child }) => child)];
    await Promise.all(children.map((child) => child && stopChild(child)));
  }

  async #start({ host, prefix }: Place, index: number, config: string) {
    const [port, adminPort] = [await freePort(), await freePort()];
    const line = [process.execPath, ...START_FLAGS, BIN, 'start', '--config', config];
    const [command = '', ...args] = [...prefix, ...line];
    const env = {
      NODE_ENV: 'production',
      HOST: host,
      PORT: String(port),
      ADMIN_PORT: String(adminPort),
      LOG_LEVEL: 'warn',
      // Nobody signs with it: whoever can be revoked needs an issuer.
      LAW_SECRET: randomBytes(32).toString('hex'),
      OTEL_EXPORTER_OTLP_ENDPOINT: '',
      REDIS_URL: this.#switch?.urls[index] ?? this.redisUrl,
      // The machine has fewer cores than replicas: a call that is late is not what this is about.
      REDIS_TIMEOUT: '500ms',
    };
    const child = startChild({ command, args, env, core: undefined });
    await untilListening(child, port, 'a gateway', host);
    // Both cores start it, one serves.
    const { measured, others } = this.#stand.cores;
    // Of two fleets that are asked at the same time, which is more than a core can do, each has half of its gateways on either core.
    const core = this.#switch !== undefined && index % 2 === 1 ? others : measured;
    if (core !== undefined) execFileSync('taskset', ['-a', '-p', '-c', String(core), String(child.pid)]);
    return { child, host, port };
  }

  async #balance(): Promise<void> {
    const port = await freePort();
    const file = join(this.#stand.folder, `haproxy-${port}.cfg`);
    const servers = this.#gateways.map((one, index) => `  server g${index} ${one.host}:${one.port}`);
    writeFileSync(file, haproxyOf(port, servers));
    const command = onPath('haproxy') ?? '/usr/sbin/haproxy';
    this.#balancer = startChild({ command, args: ['-db', '-q', '-f', file], core: this.#stand.cores.others });
    await untilListening(this.#balancer, port, 'haproxy');
    this.#origin = `http://127.0.0.1:${port}`;
  }
}

/** Has all replicas hear of breakers that open and of tokens that are revoked. @returns what ends it. */
function tellNews(redis: Redis): () => void {
  let told = 1;
  const timer = setInterval(() => {
    told += 1;
    const target = { upstream: 'spare', target: 'http://10.255.0.1:1', openForMs: 1000, at: Date.now() };
    const hint = { from: 'law', ...target, state: told % 2 === 0 ? 'open' : 'closed', generation: told };
    redis.publish('gatehouse:events:breakers', JSON.stringify(hint)).catch(() => undefined);
    redis.set(`revoked:law-${told % REVOKED}`, '1', 'PX', KEPT_MS).catch(() => undefined);
  }, 1000 / NEWS_PER_SECOND);
  return () => clearInterval(timer);
}

function configOf(backend: string): object {
  const routes = LIMITS.map((limited) => {
    const limit = { key: 'global', rate: RATE, per: '1s', burst: RATE, precision: limited };
    return {
      id: limited,
      match: { methods: ['GET'], path: `/${limited}/*` },
      upstream: 'items',
      policies: { authentication: 'public', ...(limited === 'none' ? {} : { rateLimit: limit }) },
    };
  });
  return {
    version: 1,
    contracts: { enabled: false },
    identity: {
      revocation: { longest: '1d', onStoreError: 'open' },
      issuers: [
        {
          issuer: 'https://id.example.com/',
          secretEnv: 'LAW_SECRET',
          algorithms: ['HS256'],
          audiences: ['api'],
        },
      ],
    },
    upstreams: { items: { targets: [backend] }, spare: { targets: ['http://10.255.0.1:1'] } },
    routes,
  };
}

function haproxyOf(port: number, servers: readonly string[]): string {
  return `global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend all
  bind 127.0.0.1:${port}
  default_backend gateways
backend gateways
  balance roundrobin
  http-reuse always
${servers.join('\n')}
`;
}
