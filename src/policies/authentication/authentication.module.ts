import { Inject, Module, Optional, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { ConfigError } from '../../config/config-fault.ts';
import type { ReadConfig } from '../../config/config-reader.ts';
import { DRY_RUN, GATEWAY_SOURCE } from '../../config/tokens.ts';
import { REDIS } from '../../store/store.module.ts';
import { AuthenticationGuard } from './authentication.guard.ts';
import { authenticationPolicy } from './authentication.policy.ts';
import { AuthenticationStageFactory } from './authentication.stage.ts';
import { Identity, IdentityFault } from './identity.ts';
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
          throw inFile(error, options, source);
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

/** What the environment or a key makes of the file is a fault of the file, at its place. */
function inFile(
  error: unknown,
  { issuers }: IdentityOptions,
  source: ReadConfig<unknown> | undefined,
): unknown {
  if (!(error instanceof IdentityFault) || source === undefined) return error;
  const { document } = source;
  const index = issuers.indexOf(error.issuer);
  const place = document.locate(['identity', 'issuers', index, error.key]);
  const key = `identity.issuers[${index}].${error.key}`;
  return new ConfigError([{ file: document.file, ...place, key, message: error.message }]);
}
/** Registers the policy in THE ORDER. */
export const authentication = {
  policy: authenticationPolicy,
  factory: AuthenticationStageFactory,
  module: AuthenticationModule,
  guard: AuthenticationGuard,
};
