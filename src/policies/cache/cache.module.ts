import { Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { setTimeout } from 'node:timers/promises';
import { PUB_SUB } from '../../config/tokens.ts';
import type { PubSub } from '../../store/pub-sub.ts';
import type { StoreGuard } from '../../store/store-guard.ts';
import { REDIS, STORE_GUARD } from '../../store/store.module.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { AnswerStore } from './answer-store.ts';
import { CacheNews } from './cache-news.ts';
import { HandlerRuns } from './handler-runs.ts';
import { OwedNews } from './owed-news.ts';
import { SharedAnswers } from './shared-answers.ts';
import { CacheMetrics } from './cache-metrics.ts';
import { cachePolicy } from './cache.policy.ts';
import { CacheRooms } from './cache-rooms.ts';
import { CacheStageFactory } from './cache.stage-factory.ts';

const BOOT_WAIT_MS = 500;

/** Injection token: `SharedAnswers | undefined`, answers in Redis. */
const SHARED_ANSWERS = Symbol('SHARED_ANSWERS');

/** Keeps the stored answers of all routes in one bounded store, and tells replicas of what ends. Needs the `StoreModule`. */
@Module({
  providers: [
    { provide: AnswerStore, useFactory: () => new AnswerStore() },
    OwedNews,
    HandlerRuns,
    {
      provide: SHARED_ANSWERS,
      useFactory: (store: AnswerStore, owed: OwedNews, redis?: Redis, guard?: StoreGuard) =>
        redis && guard && new SharedAnswers(redis, guard, store, owed),
      inject: [AnswerStore, OwedNews, REDIS, STORE_GUARD],
    },
    {
      provide: CacheRooms,
      useFactory: (store: AnswerStore, shared?: SharedAnswers) => new CacheRooms(store, shared),
      inject: [AnswerStore, SHARED_ANSWERS],
    },
    {
      provide: CacheStageFactory,
      useFactory: (
        store: AnswerStore,
        metrics: Metrics,
        shared: SharedAnswers | undefined,
        handlers: HandlerRuns,
      ) => new CacheStageFactory(store, new CacheMetrics(metrics, store), shared, handlers),
      inject: [AnswerStore, Metrics, SHARED_ANSWERS, HandlerRuns],
    },
    {
      provide: CacheNews,
      useFactory: (
        store: AnswerStore,
        redis: Redis | undefined,
        pubSub: PubSub,
        owed: OwedNews,
        shared?: SharedAnswers,
      ) => new CacheNews(store, { pubSub: redis && pubSub, shared, owed }),
      inject: [AnswerStore, REDIS, PUB_SUB, OwedNews, SHARED_ANSWERS],
    },
  ],
  exports: [AnswerStore, CacheNews, CacheRooms, CacheStageFactory, HandlerRuns],
})
export class CacheModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(private readonly news: CacheNews) {}

  /** Gives Redis a moment, so that nothing is missed from the first request on. */
  async onApplicationBootstrap(): Promise<void> {
    const ended = new AbortController();
    const late = setTimeout(BOOT_WAIT_MS, undefined, { signal: ended.signal, ref: false }).catch(
      () => undefined,
    );
    await Promise.race([this.news.listening, late]);
    ended.abort();
  }

  onApplicationShutdown(): void {
    this.news.close();
  }
}

/** Registers the policy in THE ORDER. */
export const cache = { policy: cachePolicy, factory: CacheStageFactory, module: CacheModule };
