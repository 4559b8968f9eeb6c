import { Module, type DynamicModule } from '@nestjs/common';
import type { OtelEnvironment } from '../config/otel-environment.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { LOGGER } from '../telemetry/telemetry.module.ts';
import { Tracer } from './tracer.ts';

/** Provides the {@link Tracer} to the whole application. */
@Module({})
export class TracingModule {
  /** @param otel undefined where spans are not exported. */
  static forRoot(otel: OtelEnvironment | undefined): DynamicModule {
    const open = async (logger: Logger, metrics: Metrics): Promise<Tracer> => {
      const tracer = new Tracer(otel);
      await tracer.open({ logger, metrics });
      return tracer;
    };
    return {
      module: TracingModule,
      global: true,
      providers: [{ provide: Tracer, useFactory: open, inject: [LOGGER, Metrics] }],
      exports: [Tracer],
    };
  }
}
