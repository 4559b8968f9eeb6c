import { Logger, Module } from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { StoreGuard } from '../../store/store-guard.ts';
import { REDIS, STORE_GUARD } from '../../store/store.module.ts';
import { LIVE_TIERS, RedisLiveTiers } from './live-tiers.redis.ts';
import { RateLimitInterceptor } from './rate-limit.interceptor.ts';
import { rateLimitPolicy } from './rate-limit.policy.ts';
import { RateLimitStageFactory } from './rate-limit.stage.ts';
import { LOCAL_RATE_LIMITER, RATE_LIMITER, type LocalRateLimiter } from './rate-limiter.ts';
import { MemoryTokenBucket } from './token-bucket.memory.ts';
import { RedisTokenBucket } from './token-bucket.redis.ts';

/** Binds the limiter: buckets in Redis when there is one, in this process otherwise. Needs the `StoreModule`. */
@Module({
  providers: [
    { provide: LOCAL_RATE_LIMITER, useFactory: () => new MemoryTokenBucket() },
    {
      provide: RATE_LIMITER,
      useFactory: (local: LocalRateLimiter, redis: Redis | undefined, guard: StoreGuard | undefined) =>
        redis === undefined || guard === undefined ? local : new RedisTokenBucket(redis, guard),
      inject: [LOCAL_RATE_LIMITER, REDIS, STORE_GUARD],
    },
    {
      provide: LIVE_TIERS,
      useFactory: (redis: Redis | undefined, guard: StoreGuard | undefined) =>
        redis && guard && new RedisLiveTiers(redis, guard, (message) => new Logger('Tiers').warn(message)),
      inject: [REDIS, STORE_GUARD],
    },
    RateLimitStageFactory,
    RateLimitInterceptor,
  ],
  exports: [RATE_LIMITER, LOCAL_RATE_LIMITER, RateLimitStageFactory, RateLimitInterceptor],
})
export class RateLimitModule {}

/** Registers the policy in THE ORDER. */
export const rateLimit = {
  policy: rateLimitPolicy,
  factory: RateLimitStageFactory,
  module: RateLimitModule,
};
