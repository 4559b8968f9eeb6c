import { Module } from '@nestjs/common';
import { Metrics } from '../../telemetry/metrics.ts';
import { AnswerStore } from './answer-store.ts';
import { CacheMetrics } from './cache-metrics.ts';
import { cachePolicy } from './cache.policy.ts';
import { CacheStageFactory } from './cache.stage-factory.ts';

/** Keeps the stored answers of all routes in one bounded store. */
@Module({
  providers: [
    { provide: AnswerStore, useFactory: () => new AnswerStore() },
    {
      provide: CacheStageFactory,
      useFactory: (store: AnswerStore, metrics: Metrics) =>
        new CacheStageFactory(store, new CacheMetrics(metrics, store)),
      inject: [AnswerStore, Metrics],
    },
  ],
  exports: [AnswerStore, CacheStageFactory],
})
export class CacheModule {}

/** Registers the policy in THE ORDER. */
export const cache = { policy: cachePolicy, factory: CacheStageFactory, module: CacheModule };
