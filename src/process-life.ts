import type { Environment } from './config/env.schema.ts';
import type { Logger } from './telemetry/logger.ts';

const LAST_LINES_MS = 1000;
/** What a shutdown may take beyond what it is given for exchanges, in ms: sockets and pools say goodbye. */
const GOODBYE_MS = 5000;
/** After it, exchanges that were cut off have left their lines. */
const CUT_OFF_MS = 50;

/** What stops when the process does, and is told to read its configuration again. */
export interface Stoppable {
  reload(trigger: string): Promise<unknown>;
  close(): Promise<void>;
  cutOff(): void;
  /** Has those that serve restarted; absent where that would be the process itself. */
  restart?(trigger: string): void;
  /** Hears that the process will end because of an error. */
  failing?(): void;
}

/** What a process is besides what it runs. */
export interface ProcessLifeOptions {
  readonly environment: Pick<Environment, 'drainDelayMs' | 'shutdownTimeoutMs'>;
  readonly logger: Logger;
  /** Whether another process says when to stop and to reload, so that signals to all of them come once. Default false. */
  readonly isOrdered?: boolean;
  /** What those that are cut off may take to leave their lines, in ms. Default 50. */
  readonly cutOffMs?: number;
}

/** How long a process takes to end at most once it is told to, in ms, short of its last lines: whoever kills it waits longer. */
export function endsWithinMs({ drainDelayMs, shutdownTimeoutMs }: ProcessLifeOptions['environment']): number {
  return 2 * drainDelayMs + shutdownTimeoutMs + GOODBYE_MS;
}

/**
 * What signals and errors that nobody caught do to the process. Whatever ends it, exchanges are drained, and the log
 * stays lines of JSON.
 */
export class ProcessLife {
  readonly #gateway: Stoppable;
  readonly #logger: Logger;
  readonly #limitMs: number;
  readonly #cutOffMs: number;
  readonly #isOrdered: boolean;
  #exitCode: number | undefined = undefined;

  constructor(gateway: Stoppable, options: ProcessLifeOptions) {
    const { environment, logger, isOrdered = false, cutOffMs = CUT_OFF_MS } = options;
    this.#gateway = gateway;
    this.#logger = logger;
    this.#isOrdered = isOrdered;
    this.#cutOffMs = cutOffMs;
    this.#limitMs = endsWithinMs(environment);
  }

  /** Takes over signals, errors that nobody caught, and warnings of Node. */
  attach(): void {
    process.on('SIGTERM', this.#signalled).on('SIGINT', this.#interrupted).on('SIGHUP', this.#hangUp);
    process.on('SIGUSR2', this.#restart);
    process.on('uncaughtException', this.#uncaught);
    // Node's own listener writes text between our lines.
    process.removeAllListeners('warning').on('warning', this.#warned);
  }

  /** Gives all of them back. */
  detach(): void {
    process.off('SIGTERM', this.#signalled).off('SIGINT', this.#interrupted).off('SIGHUP', this.#hangUp);
    process.off('SIGUSR2', this.#restart);
    process.off('uncaughtException', this.#uncaught).off('warning', this.#warned);
  }

  /** Drains and ends, unless it does so already. */
  leave(): void {
    if (this.#exitCode === undefined) this.#stop(0);
  }

  /** Does not wait any more. */
  cutOff(): void {
    this.#gateway.cutOff();
    setTimeout(() => process.exit(1), this.#cutOffMs);
  }

  // Service managers send it to all processes, and so do others before they kill one: the second is no reason to hurry there.
  readonly #signalled = (): void => {
    if (this.#exitCode === undefined) this.#stop(0);
    else if (!this.#isOrdered) this.cutOff();
  };

  // Terminals send it to all processes at once.
  readonly #interrupted = (): void => {
    if (!this.#isOrdered) this.#signalled();
  };

  readonly #hangUp = (): void => {
    if (!this.#isOrdered) void this.#gateway.reload('SIGHUP');
  };

  // Without a listener Node ends the process.
  readonly #restart = (): void => {
    if (this.#isOrdered) return;
    if (this.#gateway.restart !== undefined) this.#gateway.restart('SIGUSR2');
    else this.#logger.warn('SIGUSR2 restarts workers, and one process serves alone here');
  };

  // Whatever threw may have left something half done: nothing new is begun, but what others have asked is finished.
  readonly #uncaught = (error: unknown, origin: string): void => {
    if (this.#exitCode !== undefined) {
      this.#exitCode = 1;
      return this.#logger.error({ err: error, origin }, 'another error that nobody caught');
    }
    this.#gateway.failing?.();
    this.#logger.fatal({ err: error, origin }, 'nobody caught an error; the gateway drains and ends');
    this.#stop(1);
  };

  readonly #warned = ({ name, message }: Error): void => this.#logger.warn({ warning: name }, message);

  #stop(exitCode: number): void {
    this.#exitCode = exitCode;
    const limit = setTimeout(() => this.#failed(new Error('took too long')), this.#limitMs);
    this.#gateway.close().then(
      () => {
        clearTimeout(limit);
        this.#leave(this.#exitCode ?? exitCode);
      },
      (error: unknown) => this.#failed(error),
    );
  }

  #failed(error: unknown): void {
    this.#logger.fatal({ err: error }, 'shutdown failed');
    this.#leave(1);
  }

  // The last lines go out in order, but a reader of the log that has stopped reading does not keep the process.
  #leave(exitCode: number): void {
    setTimeout(() => process.exit(exitCode), LAST_LINES_MS);
    this.#logger.flush(() => process.exit(exitCode));
  }
}
