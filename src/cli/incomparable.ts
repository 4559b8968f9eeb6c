import type { ConfigError } from '../config/config-fault.ts';

/** Neither yes nor no: one of two configurations is faulty. */
export class Incomparable extends Error {
  override readonly cause: ConfigError;

  constructor(cause: ConfigError) {
    super(cause.message);
    this.cause = cause;
  }
}
