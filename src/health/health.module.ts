import { Global, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { Draining } from './draining.ts';
import { HealthController } from './health.controller.ts';
import { Warming } from './warming.ts';
import { Siblings } from './workforce.ts';

/** Liveness and readiness. */
@Global()
@Module({
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
  providers: [Draining, Warming, Siblings],
  exports: [Draining, Warming, Siblings],
})
export class HealthModule {}
