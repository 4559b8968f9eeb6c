import { Module } from '@nestjs/common';
import { AuthorizationGuard } from './authorization.guard.ts';
import { authorizationPolicy } from './authorization.policy.ts';
import { AuthorizationStageFactory } from './authorization.stage.ts';

/** Decides what a caller may do. */
@Module({
  providers: [AuthorizationStageFactory, AuthorizationGuard],
  exports: [AuthorizationStageFactory, AuthorizationGuard],
})
export class AuthorizationModule {}

/** Registers the policy in THE ORDER. */
export const authorization = {
  policy: authorizationPolicy,
  factory: AuthorizationStageFactory,
  module: AuthorizationModule,
  guard: AuthorizationGuard,
};
