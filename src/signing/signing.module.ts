import { Global, Module } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { DRY_RUN } from '../config/tokens.ts';
import { REDIS, STORE_GUARD } from '../store/store.module.ts';
import type { StoreGuard } from '../store/store-guard.ts';
import type { Logger } from '../telemetry/logger.ts';
import { LOGGER } from '../telemetry/telemetry.module.ts';
import { KeyRings } from './key-rings.ts';

type Deps = [redis?: Redis, guard?: StoreGuard, logger?: Logger, isDryRun?: boolean];

/** Provides the keys that identity tokens for services are signed with. */
@Global()
@Module({
  providers: [
    {
      provide: KeyRings,
      useFactory: (...[redis, guard, logger, isDryRun = false]: Deps) =>
        new KeyRings({ store: redis && guard && { redis, guard }, logger, isDryRun }),
      inject: [REDIS, STORE_GUARD, LOGGER, DRY_RUN].map((token) => ({ token, optional: true })),
    },
  ],
  exports: [KeyRings],
})
export class SigningModule {}
