import type { LoggerService } from '@nestjs/common';
import type { Logger } from './logger.ts';

/** Passes Nest's own messages on to the process's logger; its chatter at boot becomes `debug`. */
export class NestLogger implements LoggerService {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  log(message: unknown, context?: unknown): void {
    this.#logger.debug({ context }, String(message));
  }

  warn(message: unknown, context?: unknown): void {
    this.#logger.warn({ context }, String(message));
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.#logger.error({ rest }, String(message));
  }

  debug(message: unknown, context?: unknown): void {
    this.#logger.trace({ context }, String(message));
  }

  verbose(message: unknown, context?: unknown): void {
    this.#logger.trace({ context }, String(message));
  }
}
