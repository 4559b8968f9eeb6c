import type { LoggerService } from '@nestjs/common';
import { RuntimeException } from '@nestjs/core/errors/exceptions/runtime.exception.js';
import type { Logger } from './logger.ts';

/**
 * Passes Nest's own messages on to the process's logger; its chatter at boot becomes `debug`. An error is given as
 * such, behind the message, and shown as the logger shows errors; a stack as text is left out, because it begins with a
 * message that nobody has looked through.
 */
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
    // Whoever starts the gateway tells it, with its place; nothing about it is unforeseen.
    if (Error.isError(message) && message.name === 'ConfigError') return;
    const err = [message, ...rest].find((one) => Error.isError(one));
    const context = rest.filter((one) => typeof one === 'string' && !one.includes('\n')).at(-1);
    const text = Error.isError(message) ? textOf(message) : String(message);
    this.#logger.error({ ...(err && { err }), ...(context !== undefined && { context }) }, text);
  }

  debug(message: unknown, context?: unknown): void {
    this.#logger.trace({ context }, String(message));
  }

  verbose(message: unknown, context?: unknown): void {
    this.#logger.trace({ context }, String(message));
  }
}

// Those of Nest about how modules are put together hold names of classes; any other message may quote what a client sent.
function textOf(error: Error): string {
  return error instanceof RuntimeException ? `unforeseen fault: ${error.message}` : 'unforeseen fault';
}
