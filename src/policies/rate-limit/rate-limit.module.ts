import { Inject, Logger, Module, Optional, type BeforeApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { PUB_SUB } from '../../config/tokens.ts';
import type { PubSub } from '../../store/pub-sub.ts';
import { Replicas } from '../../store/replicas.ts';
import type { StoreGuard } from '../../store/store-guard.ts';
import { REDIS, STORE_GUARD } from '../../store/store.module.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { LeaseCalls } from './leases/lease-calls.redis.ts';
import { LeasedLimiter } from './leases/leased-limiter.ts';
import { Leases } from './leases/leases.ts';
import { LocalShare } from './leases/local-share.ts';
import { LimiterTally, showTally } from './limiter-tally.ts';
import { LIVE_TIERS, RedisLiveTiers } from './live-tiers.redis.ts';
import { RateLimitInterceptor } from './rate-limit.interceptor.ts';
import { rateLimitPolicy } from './rate-limit.policy.ts';
import { RateLimitStageFactory } from './rate-limit.stage.ts';
import {
  LOCAL_RATE_LIMITER,
  PROCESS_RATE_LIMITER,
  RATE_LIMITER,
  type LocalRateLimiter,
  type RateLimiter,
} from './rate-limiter.ts';
import { MemoryTokenBucket } from './token-bucket.memory.ts';
import { RedisTokenBucket } from './token-bucket.redis.ts';

const REPLICAS = { token: Replicas, optional: true };

/**
 * Binds the limiter: buckets in Redis when there is one, in this process otherwise, where `leased` is as `exact` as the rest.
 * Needs the `StoreModule`.
 */
@Module({
  providers: [
    { provide: PROCESS_RATE_LIMITER, useFactory: () => new MemoryTokenBucket() },
    {
      provide: LOCAL_RATE_LIMITER,
      useFactory: (whole: LocalRateLimiter, redis?: Redis, replicas?: Replicas) =>
        redis === undefined || replicas === undefined ? whole : new LocalShare(whole, replicas),
      inject: [PROCESS_RATE_LIMITER, REDIS, REPLICAS],
    },
    LimiterTally,
    { provide: Leases, useFactory: leasesOf, inject: [LimiterTally, REDIS, STORE_GUARD, REPLICAS] },
    {
      provide: RedisTokenBucket,
      useFactory: (tally: LimiterTally, redis?: Redis, guard?: StoreGuard) =>
        redis && guard && new RedisTokenBucket(redis, guard, undefined, tally),
      inject: [LimiterTally, REDIS, STORE_GUARD],
    },
    {
      provide: RATE_LIMITER,
      useFactory: (local: RateLimiter, exact?: RedisTokenBucket, leases?: Leases) =>
        exact === undefined || leases === undefined ? (exact ?? local) : new LeasedLimiter(exact, leases),
      inject: [LOCAL_RATE_LIMITER, RedisTokenBucket, Leases],
    },
    {
      provide: LIVE_TIERS,
      useFactory: (redis?: Redis, guard?: StoreGuard, pubSub?: PubSub) => {
        const report = (message: string): void => new Logger('Tiers').warn(message);
        return redis && guard && new RedisLiveTiers({ redis, guard, pubSub, report });
      },
      inject: [REDIS, STORE_GUARD, { token: PUB_SUB, optional: true }],
    },
    RateLimitStageFactory,
    RateLimitInterceptor,
  ],
  exports: [
    RATE_LIMITER,
    LOCAL_RATE_LIMITER,
    PROCESS_RATE_LIMITER,
    LIVE_TIERS,
    RateLimitStageFactory,
    RateLimitInterceptor,
  ],
})
export class RateLimitModule implements BeforeApplicationShutdown {
  constructor(
    tally: LimiterTally,
    @Optional() @Inject(Leases) private readonly leases?: Leases,
    @Optional() @Inject(RedisTokenBucket) private readonly exact?: RedisTokenBucket,
    @Optional() @Inject(Metrics) metrics?: Metrics,
  ) {
    if (exact === undefined || metrics === undefined) return;
    showTally(tally, { leased: () => leases?.held ?? 0, kept: () => exact.kept }, metrics);
  }

  /** Gives back what is reserved, while Redis is still there; what requests take that are still under way they ask for. */
  async beforeApplicationShutdown(): Promise<void> {
    this.exact?.close();
    await this.leases?.close();
  }
}

function leasesOf(
  tally: LimiterTally,
  redis?: Redis,
  guard?: StoreGuard,
  replicas?: Replicas,
): Leases | undefined {
  if (redis === undefined || guard === undefined || replicas === undefined) return undefined;
  const calls = new LeaseCalls(redis, replicas, tally);
  return new Leases({ send: (key, call) => calls.send(key, call), guard, replicas, tally });
}

/** Registers the policy in THE ORDER. */
export const rateLimit = {
  policy: rateLimitPolicy,
  factory: RateLimitStageFactory,
  module: RateLimitModule,
};
