import { Global, Module, type DynamicModule, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { Logger } from './logger.ts';
import { Metrics } from './metrics.ts';

/** Injection token of the process's {@link Logger}. */
export const LOGGER = Symbol('LOGGER');

/** Provides logger and metrics to every room. */
@Global()
@Module({})
export class TelemetryModule implements OnModuleInit, OnModuleDestroy {
  constructor(private readonly metrics: Metrics) {}

  /** @param mostSeries see {@link Metrics}. */
  static forRoot(logger: Logger, mostSeries?: number): DynamicModule {
    return {
      module: TelemetryModule,
      providers: [
        { provide: Metrics, useFactory: () => new Metrics(mostSeries) },
        { provide: LOGGER, useValue: logger },
      ],
      exports: [Metrics, LOGGER],
    };
  }

  onModuleInit(): void {
    this.metrics.start();
  }

  onModuleDestroy(): void {
    this.metrics.stop();
  }
}
