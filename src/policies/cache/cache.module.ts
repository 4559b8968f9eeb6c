import { Module } from '@nestjs/common';
import { AnswerStore } from './answer-store.ts';
import { cachePolicy } from './cache.policy.ts';
import { CacheStageFactory } from './cache.stage.ts';

/** Keeps the stored answers of all routes in one bounded store. */
@Module({
  providers: [
    { provide: AnswerStore, useFactory: () => new AnswerStore() },
    {
      provide: CacheStageFactory,
      useFactory: (store: AnswerStore) => new CacheStageFactory(store),
      inject: [AnswerStore],
    },
  ],
  exports: [AnswerStore, CacheStageFactory],
})
export class CacheModule {}

/** Registers the policy in THE ORDER. */
export const cache = { policy: cachePolicy, factory: CacheStageFactory, module: CacheModule };
