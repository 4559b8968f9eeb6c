import {
  Global,
  Inject,
  Module,
  type DynamicModule,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { lineStreamOf, type Logger } from './logger.ts';
import { LogLevel } from './log-level.ts';
import { Metrics } from './metrics.ts';

/** Injection token of the process's {@link Logger}. */
export const LOGGER = Symbol('LOGGER');

/** Provides logger and metrics to every room. */
@Global()
@Module({})
export class TelemetryModule implements OnModuleInit, OnModuleDestroy {
  constructor(
    private readonly metrics: Metrics,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @param mostSeries see {@link Metrics}. */
  static forRoot(logger: Logger, mostSeries?: number): DynamicModule {
    return {
      module: TelemetryModule,
      providers: [
        { provide: Metrics, useFactory: () => new Metrics(mostSeries) },
        { provide: LOGGER, useValue: logger },
        { provide: LogLevel, useFactory: () => new LogLevel(logger) },
      ],
      exports: [Metrics, LOGGER, LogLevel],
    };
  }

  onModuleInit(): void {
    this.metrics.start();
    const lines = lineStreamOf(this.logger);
    this.metrics.showDroppedLines(() => lines.droppedLines ?? 0);
  }

  onModuleDestroy(): void {
    this.metrics.stop();
  }
}
