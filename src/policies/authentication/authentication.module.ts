import { Inject, Module, Optional, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { ReadConfig } from '../../config/config-reader.ts';
import { DRY_RUN, GATEWAY_SOURCE } from '../../config/tokens.ts';
import { REDIS } from '../../store/store.module.ts';
import { AuthenticationGuard } from './authentication.guard.ts';
import { authenticationPolicy } from './authentication.policy.ts';
import { AuthenticationStageFactory } from './authentication.stage.ts';
import { inFile } from './identity-place.ts';
import { Identity } from './identity.ts';
import type { IdentityOptions } from './identity.schema.ts';

/** Injection token of the parsed `identity:` section. */
export const IDENTITY_OPTIONS = Symbol('IDENTITY_OPTIONS');

/** Knows who calls. Expects `IDENTITY_OPTIONS` and `REDIS` from global modules. */
@Module({
  providers: [
    {
      provide: Identity,
      useFactory: (options: IdentityOptions, redis: Redis | undefined, source?: ReadConfig<unknown>) => {
        try {
          return new Identity(options, { redis });
        } catch (error) {
          throw source === undefined ? error : inFile(error, options, source);
        }
      },
      inject: [IDENTITY_OPTIONS, REDIS, { token: GATEWAY_SOURCE, optional: true }],
    },
    AuthenticationStageFactory,
    AuthenticationGuard,
  ],
  exports: [Identity, AuthenticationStageFactory, AuthenticationGuard],
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
