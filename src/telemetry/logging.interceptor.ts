import {
  Inject,
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { finalize, type Observable } from 'rxjs';
import type { Logger } from './logger.ts';
import { LOGGER } from './telemetry.module.ts';

/**
 * Logs how long a handler took by itself, at `debug`. For `@UseInterceptors` in a team's own module; the access line
 * of the whole exchange is written at its close.
 */
@Injectable()
export class LoggingInterceptor implements NestInterceptor {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (!this.logger.isLevelEnabled('debug')) return next.handle();
    const handler = `${context.getClass().name}.${context.getHandler().name}`;
    const startedAt = performance.now();
    return next
      .handle()
      .pipe(
        finalize(() => this.logger.debug({ handler, durationMs: performance.now() - startedAt }, 'handled')),
      );
  }
}
