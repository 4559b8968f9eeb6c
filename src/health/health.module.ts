import { Global, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { Draining } from './draining.ts';
import { HealthController } from './health.controller.ts';
import { Warming } from './warming.ts';

/** Liveness and readiness. */
@Global()
@Module({
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
  providers: [Draining, Warming],
  exports: [Draining, Warming],
})
export class HealthModule {}
