import { errorName } from '../telemetry/error-facts.ts';
import type { Logger } from '../telemetry/logger.ts';

/** Where the questions of a route go, for its lines. */
export interface ReflectionPlace {
  readonly route: string;
  readonly upstream: string;
}

/** Stands for the target while no target may be asked. */
const NO_TARGET = 'none';

/**
 * Tells operators about server reflection of one route without repeating itself: a warning for each new reason of
 * a target, the same reason once more only at `debug`, and a line when the target answers again.
 */
export class ReflectionReport {
  readonly #place: ReflectionPlace;
  readonly #logger: Logger;
  /** The reason that was told last, by target; a target that answers has none. */
  readonly #told = new Map<string, string>();

  constructor(place: ReflectionPlace, logger: Logger) {
    this.#place = place;
    this.#logger = logger;
  }

  /** Tells that a target, or none where none may be asked, gave no methods that can be used. */
  failed(target: string | undefined, error: unknown): void {
    const at = target ?? NO_TARGET;
    const reason = errorName(error);
    const line = { ...this.#place, target: at, reason };
    // How long something took, or the number of a try, makes no new reason.
    const key = reason.replaceAll(/\d+/g, '0');
    if (this.#told.get(at) === key) this.#logger.debug({ ...line, err: error }, 'server reflection failed');
    else this.#logger.warn(line, 'server reflection failed');
    this.#told.set(at, key);
  }

  /** Tells that a target answers, if it, or all of them, did not before. */
  worked(target: string): void {
    const wasDown = this.#told.delete(target);
    const wereAllDown = this.#told.delete(NO_TARGET);
    if (wasDown || wereAllDown)
      this.#logger.info({ ...this.#place, target }, 'server reflection works again');
  }
}
