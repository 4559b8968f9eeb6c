import { Module, type OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { PUB_SUB } from '../../config/tokens.ts';
import type { PubSub } from '../../store/pub-sub.ts';
import { REDIS } from '../../store/store.module.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { AnswerStore } from './answer-store.ts';
import { CacheNews } from './cache-news.ts';
import { CacheMetrics } from './cache-metrics.ts';
import { cachePolicy } from './cache.policy.ts';
import { CacheStageFactory } from './cache.stage-factory.ts';

/** Keeps the stored answers of all routes in one bounded store, and tells replicas of what ends. Needs the `StoreModule`. */
@Module({
  providers: [
    { provide: AnswerStore, useFactory: () => new AnswerStore() },
    {
      provide: CacheStageFactory,
      useFactory: (store: AnswerStore, metrics: Metrics) =>
        new CacheStageFactory(store, new CacheMetrics(metrics, store)),
      inject: [AnswerStore, Metrics],
    },
    {
      provide: CacheNews,
      useFactory: (store: AnswerStore, redis: Redis | undefined, pubSub: PubSub) =>
        new CacheNews(store, redis && pubSub),
      inject: [AnswerStore, REDIS, PUB_SUB],
    },
  ],
  exports: [AnswerStore, CacheNews, CacheStageFactory],
})
export class CacheModule implements OnApplicationShutdown {
  constructor(private readonly news: CacheNews) {}

  onApplicationShutdown(): void {
    this.news.close();
  }
}

/** Registers the policy in THE ORDER. */
export const cache = { policy: cachePolicy, factory: CacheStageFactory, module: CacheModule };
