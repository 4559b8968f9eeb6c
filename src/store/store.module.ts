import {
  Inject,
  Logger,
  Module,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { Redis } from 'ioredis';
import { PUB_SUB, SHARED_TEXTS } from '../config/tokens.ts';
import { PubSub } from './pub-sub.ts';
import { closeRedis, createRedis, whenReady, type StoreLog } from './redis.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { Replicas } from './replicas.ts';
import { SharedTexts } from './shared-texts.ts';
import { StoreGuard } from './store-guard.ts';

/** Injection token: `Redis | undefined`; undefined means that this process keeps its own state. */
export const REDIS = Symbol('REDIS');

/** Injection token: `StoreGuard | undefined`, the guard in front of `REDIS`; defined together with it. */
export const STORE_GUARD = Symbol('STORE_GUARD');

/** Injection token of an optional `StoreObserver`; provide it in a global module. */
export const STORE_OBSERVER = Symbol('STORE_OBSERVER');

/** Counts the moments when the store is given up or trusted again. */
export interface StoreObserver {
  switched(state: 'on' | 'off'): void;
}

/** What the store needs of the environment. */
export interface StoreOptions {
  /** `REDIS_URL`; undefined keeps all state in this process. */
  readonly redisUrl: string | undefined;
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
      options.redisUrl === undefined ? undefined : createRedis(options.redisUrl, log);
    const openGuard = (redis: Redis | undefined, log: StoreLog, observer?: StoreObserver) => {
      if (redis === undefined) return undefined;
      // It is used until it fails, and the metric says so before that ever happens.
      observer?.switched('on');
      return guardOf(redis, options.budgetMs, (state, reason) => report(log, observer, state, reason));
    };
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
        { provide: PUB_SUB, useFactory: (redis?: Redis) => new PubSub(redis), inject: [REDIS] },
      ],
      exports: [REDIS, STORE_GUARD, SHARED_TEXTS, PUB_SUB, Replicas],
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

function guardOf(
  redis: Redis,
  budgetMs: number | undefined,
  onSwitch: (state: 'on' | 'off', reason: string) => void,
): StoreGuard {
  return new StoreGuard({
    probe: () => redis.ping(),
    budgetMs,
    onSwitch: (state, reason) =>
      // It says so before it takes notice that the connection is gone.
      onSwitch(state, redis.status === 'ready' ? reason : 'there is no connection'),
  });
}

function report(
  log: StoreLog,
  observer: StoreObserver | undefined,
  state: 'on' | 'off',
  reason: string,
): void {
  observer?.switched(state);
  if (state === 'on') log.info({ store: state, reason }, 'Redis answers in time again; it is used again');
  else log.warn({ store: state, reason }, `Redis is left alone until it answers in time: ${reason}`);
}

function nestLog(): StoreLog {
  const logger = new Logger('Store');
  return {
    info: (_fields, message) => logger.log(message),
    warn: (_fields, message) => logger.warn(message),
  };
}
