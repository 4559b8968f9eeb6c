import { Module } from '@nestjs/common';
import { AuthorizationGuard } from './authorization.guard.ts';
import { AuthorizationStageFactory } from './authorization.stage.ts';

/** Decides what a caller may do. */
@Module({
  providers: [AuthorizationStageFactory, AuthorizationGuard],
  exports: [AuthorizationStageFactory, AuthorizationGuard],
})
export class AuthorizationModule {}
