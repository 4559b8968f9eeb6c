import { unwatchFile, watchFile, type StatsListener } from 'node:fs';

const LOOK_EVERY_MS = 1000;
const QUIET_MS = 200;

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
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(file: string, onChange: () => void, times: WatchTimes = {}) {
    this.#file = file;
    this.#onChange = onChange;
    this.#times = { lookEveryMs: LOOK_EVERY_MS, quietMs: QUIET_MS, ...times };
  }

  /** Begins to look. */
  start(): void {
    watchFile(this.#file, { persistent: false, interval: this.#times.lookEveryMs }, this.#changed);
  }

  /** Looks no more. */
  stop(): void {
    unwatchFile(this.#file, this.#changed as never);
    clearTimeout(this.#timer);
  }

  // Whoever writes in several steps is waited for; what is read half-written all the same is a fault, and read again.
  readonly #changed: StatsListener = () => {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onChange, this.#times.quietMs).unref();
  };
}
