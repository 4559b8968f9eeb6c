import {
  Inject,
  Logger,
  Module,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { RedisAccess } from '../config/redis-access.ts';
import { PUB_SUB, SHARED_TEXTS } from '../config/tokens.ts';
import { PubSub } from './pub-sub.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { closeRedis, createRedis, lineOf, pingAll, whenReady, type StoreLog } from './redis.ts';
import { Replicas } from './replicas.ts';
import { SharedTexts } from './shared-texts.ts';
import { StoreGuard, type CallFailure } from './store-guard.ts';
import { StoreHealth } from './store-health.ts';

/** Injection token: `Redis | undefined`; undefined means that this process keeps its own state. */
export const REDIS = Symbol('REDIS');

/** Injection token: `StoreGuard | undefined`, the guard in front of `REDIS`; defined together with it. */
export const STORE_GUARD = Symbol('STORE_GUARD');

/** Injection token of an optional `StoreObserver`; provide it in a global module. */
export const STORE_OBSERVER = Symbol('STORE_OBSERVER');

/** What the connection is called where uses of the store are listed: without it, there is none. */
const CONNECTION = 'connection';

/** Counts the moments when a use of the store, or the connection, is given up or trusted again, and calls that came to nothing. */
export interface StoreObserver {
  switched(state: 'on' | 'off', use: string): void;
  /** Counts calls that came to nothing. */
  failed(why: CallFailure, use: string): void;
}

/** What the store needs of the environment. */
export interface StoreOptions {
  /** `REDIS_URL`; undefined keeps all state in this process. */
  readonly redisUrl: string | undefined;
  /** What of the access to it is not in the URL. Default nothing. */
  readonly access?: RedisAccess | undefined;
  /** What one call to Redis may cost a request, in ms. Default 10. */
  readonly budgetMs?: number | undefined;
  /** Default: Nest's logger. */
  readonly log?: StoreLog | undefined;
}

const STORE_LOG = Symbol('STORE_LOG');
const BOOT_WAIT_MS = 500;

/** Provides `REDIS`, `STORE_GUARD` and what is built on them to the whole application and closes both when it ends. */
@Module({})
export class StoreModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @Inject(REDIS) private readonly redis: Redis | undefined,
    @Inject(STORE_GUARD) private readonly guard: StoreGuard | undefined,
    @Inject(STORE_LOG) private readonly log: StoreLog,
    @Inject(PUB_SUB) private readonly pubSub: PubSub,
  ) {}

  /** Describes the module. The application does not boot when `redisUrl` is not a Redis URL. */
  static forRoot(options: StoreOptions): DynamicModule {
    const openRedis = (log: StoreLog): Redis | undefined =>
      options.redisUrl === undefined ? undefined : createRedis(options.redisUrl, log, options.access);
    const openGuard = (redis: Redis | undefined, log: StoreLog, observer?: StoreObserver) =>
      redis && guardOf(redis, options.budgetMs, { log, observer });
    return {
      module: StoreModule,
      global: true,
      providers: [
        { provide: STORE_LOG, useFactory: () => options.log ?? nestLog() },
        { provide: REDIS, useFactory: openRedis, inject: [STORE_LOG] },
        {
          provide: STORE_GUARD,
          useFactory: openGuard,
          inject: [REDIS, STORE_LOG, { token: STORE_OBSERVER, optional: true }],
        },
        {
          provide: SHARED_TEXTS,
          useFactory: (redis?: Redis, guard?: StoreGuard) => redis && guard && new SharedTexts(redis, guard),
          inject: [REDIS, STORE_GUARD],
        },
        {
          provide: Replicas,
          useFactory: (redis?: Redis, metrics?: Metrics) => new Replicas(redis, { metrics }),
          inject: [REDIS, { token: Metrics, optional: true }],
        },
        {
          provide: StoreHealth,
          useFactory: (redis?: Redis, guard?: StoreGuard) => new StoreHealth(redis && lineOf(redis), guard),
          inject: [REDIS, STORE_GUARD],
        },
        { provide: PUB_SUB, useFactory: (redis?: Redis) => new PubSub(redis), inject: [REDIS] },
      ],
      exports: [REDIS, STORE_GUARD, StoreHealth, SHARED_TEXTS, PUB_SUB, Replicas],
    };
  }

  /** Gives Redis a moment, so that the first requests find it. Boots without it: each user of it degrades as configured. */
  async onApplicationBootstrap(): Promise<void> {
    if (this.redis === undefined || (await whenReady(this.redis, BOOT_WAIT_MS))) return;
    this.log.warn({ waitedMs: BOOT_WAIT_MS }, 'Redis does not answer yet; starting without it');
  }

  /** Runs after the last exchange has ended. */
  onApplicationShutdown(): void {
    this.guard?.close();
    this.pubSub.close();
    if (this.redis !== undefined) closeRedis(this.redis);
  }
}

/** Whom the store tells what becomes of it. */
interface Told {
  readonly log: StoreLog;
  readonly observer: StoreObserver | undefined;
}

function guardOf(redis: Redis, budgetMs: number | undefined, { log, observer }: Told): StoreGuard {
  const line = lineOf(redis);
  const guard = new StoreGuard({
    probe: () => pingAll(redis),
    budgetMs,
    line,
    onFailure: observer && ((why, use) => observer.failed(why, use)),
    onSwitch: (state, reason, use) => {
      observer?.switched(state, use);
      const fields = { store: state, use, reason };
      if (state === 'on') log.info(fields, `Redis is used again for ${use}: ${reason}`);
      else log.warn(fields, `Redis is left alone for ${use} until it does well again: ${reason}`);
    },
  });
  // It is used until it fails, and the metric says so before that ever happens.
  observer?.switched('on', guard.use);
  line?.onChange(() => {
    // The line has logged it.
    observer?.switched(line.isUp && line.lost.length === 0 ? 'on' : 'off', CONNECTION);
  });
  return guard;
}

function nestLog(): StoreLog {
  const logger = new Logger('Store');
  return {
    info: (_fields, message) => logger.log(message),
    warn: (_fields, message) => logger.warn(message),
  };
}
