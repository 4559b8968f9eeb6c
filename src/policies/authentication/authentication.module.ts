import { Inject, Module, Optional, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { PubSub } from '../../store/pub-sub.ts';
import type { StoreGuard } from '../../store/store-guard.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { LOGGER } from '../../telemetry/telemetry.module.ts';
import type { ReadConfig } from '../../config/config-reader.ts';
import { AUDIT, DRY_RUN, GATEWAY_SOURCE, PUB_SUB } from '../../config/tokens.ts';
import { REDIS, STORE_GUARD } from '../../store/store.module.ts';
import { ApiKeyRegistry } from './api-keys/api-key.registry.ts';
import { AuthenticationGuard } from './authentication.guard.ts';
import { authenticationPolicy } from './authentication.policy.ts';
import { AuthenticationStageFactory } from './authentication.stage.ts';
import { inFile } from './identity-place.ts';
import { Damping } from './damping/damping.ts';
import { Identity } from './identity.ts';
import type { IdentityOptions } from './identity.schema.ts';
import { Revocations } from './revocation/revocations.ts';
import type { LoginEvents } from './scheme.ts';

/** Injection token of the parsed `identity:` section. */
export const IDENTITY_OPTIONS = Symbol('IDENTITY_OPTIONS');

type Late = [
  guard?: StoreGuard,
  pubSub?: PubSub,
  source?: ReadConfig<unknown>,
  isDryRun?: boolean,
  audit?: LoginEvents,
];
type Told = [metrics?: Metrics, logger?: Logger];

/** Knows who calls. Expects `IDENTITY_OPTIONS` and `REDIS` from global modules. */
@Module({
  providers: [
    {
      provide: Revocations,
      useFactory: (redis?: Redis, guard?: StoreGuard, pubSub?: PubSub, ...told: Told) =>
        new Revocations({
          store: redis && guard && pubSub && { redis, guard, pubSub },
          metrics: told[0],
          logger: told[1],
        }),
      inject: [REDIS, STORE_GUARD, PUB_SUB, Metrics, LOGGER].map((token) => ({ token, optional: true })),
    },
    {
      provide: Damping,
      useFactory: (metrics?: Metrics, logger?: Logger) => new Damping({ metrics, logger }),
      inject: [Metrics, LOGGER].map((token) => ({ token, optional: true })),
    },
    {
      provide: Identity,
      useFactory: (
        options: IdentityOptions,
        redis: Redis | undefined,
        revocations: Revocations,
        damping: Damping,
        ...[guard, pubSub, source, isDryRun, audit]: Late
      ) => {
        try {
          return new Identity(options, { redis, guard, revocations, damping, pubSub, isDryRun, audit });
        } catch (error) {
          throw source === undefined ? error : inFile(error, source);
        }
      },
      inject: [
        IDENTITY_OPTIONS,
        REDIS,
        Revocations,
        Damping,
        { token: STORE_GUARD, optional: true },
        { token: PUB_SUB, optional: true },
        { token: GATEWAY_SOURCE, optional: true },
        { token: DRY_RUN, optional: true },
        { token: AUDIT, optional: true },
      ],
    },
    {
      provide: ApiKeyRegistry,
      useFactory: (redis?: Redis, pubSub?: PubSub) => redis && pubSub && new ApiKeyRegistry(redis, pubSub),
      inject: [REDIS, PUB_SUB].map((token) => ({ token, optional: true })),
    },
    AuthenticationStageFactory,
    AuthenticationGuard,
  ],
  exports: [ApiKeyRegistry, Identity, Revocations, AuthenticationStageFactory, AuthenticationGuard],
})
export class AuthenticationModule implements OnModuleInit, OnModuleDestroy {
  constructor(
    private readonly identity: Identity,
    @Optional() @Inject(DRY_RUN) private readonly isDryRun = false,
  ) {}

  onModuleInit(): void {
    if (!this.isDryRun) this.identity.start();
  }

  onModuleDestroy(): void {
    this.identity.stop();
  }
}

/** Registers the policy in THE ORDER. */
export const authentication = {
  policy: authenticationPolicy,
  factory: AuthenticationStageFactory,
  module: AuthenticationModule,
  guard: AuthenticationGuard,
};
