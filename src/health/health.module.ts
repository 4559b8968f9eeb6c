import { Global, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { Draining } from './draining.ts';
import { FollowedSources } from './followed-sources.ts';
import { HealthController } from './health.controller.ts';
import { Warming } from './warming.ts';
import { Siblings } from './workforce.ts';

/** Liveness and readiness. */
@Global()
@Module({
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
  providers: [Draining, Warming, FollowedSources, Siblings],
  exports: [Draining, Warming, FollowedSources, Siblings],
})
export class HealthModule {}
