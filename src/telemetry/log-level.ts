import type { LevelWithSilent } from 'pino';
import type { Logger } from './logger.ts';

/** A level of the log, as `LOG_LEVEL` takes it. */
export type LogLevelName = LevelWithSilent;

const CHANGED = 'the level of the log has changed';

/** Which level the log has, and why. */
export interface ShownLevel {
  readonly level: string;
  /** The level that the process was started with, and goes back to. */
  readonly configured: string;
  /** When it goes back; absent where it has the one that it was started with. */
  readonly until?: string | undefined;
}

/**
 * The level of a logger, which can be another one for a while. It goes back by itself, so that nobody has to remember. Whether
 * lines show the messages of errors is settled when a logger is made: no order here has other people's data written.
 */
export class LogLevel {
  readonly #logger: Logger;
  readonly #configured: string;
  #until: number | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
    this.#configured = logger.level;
  }

  get shown(): ShownLevel {
    const until = this.#until === undefined ? undefined : new Date(this.#until).toISOString();
    return { level: this.#logger.level, configured: this.#configured, until };
  }

  /** For how much longer it has another level, in ms; 0 for the one that it was started with. */
  get leftMs(): number {
    return this.#until === undefined ? 0 : Math.max(1, this.#until - Date.now());
  }

  /** Has it another level for a while; a later order takes the place of an earlier one. @param forMs at most 24 days. */
  change(level: LogLevelName, forMs: number): void {
    clearTimeout(this.#timer);
    this.#until = Date.now() + forMs;
    this.#timer = setTimeout(() => this.reset(), forMs).unref();
    const line = { logLevel: { ...this.shown, level } };
    const before = this.#logger.isLevelEnabled('warn');
    // At whichever of the two levels lets it through, once.
    if (before) this.#logger.warn(line, CHANGED);
    this.#logger.level = level;
    if (!before) this.#logger.warn(line, CHANGED);
  }

  /** Goes back to the level that it was started with. */
  reset(): void {
    clearTimeout(this.#timer);
    if (this.#until === undefined) return;
    this.#until = undefined;
    this.#logger.level = this.#configured;
    this.#logger.warn({ logLevel: this.shown }, 'the level of the log is again what it was');
  }
}
