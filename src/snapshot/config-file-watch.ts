import { statSync, type BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';

export const LOOK_EVERY_MS = 1000;
export const QUIET_MS = 200;
/** How far the times of a file may lag behind the clock, and a reading behind the time that is known of it. */
export const LAG_MS = 50;

/** How a file is watched; for specs. */
export interface WatchTimes {
  /** How often it is looked at, in ms. Default one second. */
  readonly lookEveryMs?: number;
  /** How long it has to stay the same before it is read, in ms. Default 200. */
  readonly quietMs?: number;
}

/**
 * Tells when a file has changed and stays the same for a moment. It looks at what the name leads to, once a second: a file
 * that is written in place, one that another is renamed to, and a symbolic link anywhere on the way that is swapped, as
 * Kubernetes does, all differ in what `stat` tells; and it works where the system has no notifications to give.
 */
export class ConfigFileWatch {
  readonly #file: string;
  readonly #onChange: () => void;
  readonly #times: Required<WatchTimes>;
  #seen = '';
  #looks: NodeJS.Timeout | undefined = undefined;
  #quiet: NodeJS.Timeout | undefined = undefined;
  #isLooking = false;

  constructor(file: string, onChange: () => void, times: WatchTimes = {}) {
    this.#file = file;
    this.#onChange = onChange;
    this.#times = { lookEveryMs: LOOK_EVERY_MS, quietMs: QUIET_MS, ...times };
  }

  /**
   * Begins to look.
   *
   * @param readAtMs when the file was read that is in use, in ms since the epoch: a change since then is told, too. Default: those from now on.
   */
  start(readAtMs = Infinity): void {
    const found = this.#found();
    this.#seen = stampOf(found);
    this.#looks = setInterval(() => void this.look(), this.#times.lookEveryMs).unref();
    if (found === undefined || Number(found.ctimeMs) >= readAtMs - LAG_MS) this.#changed();
  }

  /** Looks at once, unless a look is under way. Never rejects. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const stamp = await stat(this.#file, { bigint: true }).then(stampOf, () => GONE);
    this.#isLooking = false;
    if (this.#looks === undefined || stamp === this.#seen) return;
    this.#seen = stamp;
    this.#changed();
  }

  /** Looks no more. */
  stop(): void {
    clearInterval(this.#looks);
    this.#looks = undefined;
    clearTimeout(this.#quiet);
  }

  #found(): BigIntStats | undefined {
    try {
      return statSync(this.#file, { bigint: true });
    } catch {
      // Whoever reads it says what is wrong.
      return undefined;
    }
  }

  // Whoever writes in several steps is waited for; what is read half-written all the same is a fault, and read again.
  #changed(): void {
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(this.#onChange, this.#times.quietMs).unref();
  }
}

/** The stamp of a file that is not there. */
export const GONE = 'gone';

/** What changes with every change of a file. */
export function stampOf(found: BigIntStats | undefined): string {
  if (found === undefined) return GONE;
  const { dev, ino, size, mtimeNs, ctimeNs } = found;
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}
