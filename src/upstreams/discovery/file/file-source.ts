import { unwatchFile, watchFile, type StatsListener } from 'node:fs';
import type { Asking, DiscoverySource, Known } from '../discovery-source.ts';
import { Wake } from '../wake.ts';
import { targetsIn, textIn, type ListOptions } from './target-list.ts';

/** What the targets have to be reached with. */
export interface FileSourceOptions extends ListOptions {
  readonly path: string;
  /** How often the file is looked at, in ms. Default one second. */
  readonly lookEveryMs?: number;
}

const LOOK_EVERY_MS = 1000;
/** It is read from time to time although it looks the same: times of files may have whole seconds only. */
const READ_EVERY_MS = 30_000;

/**
 * The targets that a JSON file lists. What its name leads to is looked at, as with the configuration: that finds files that
 * are renamed into place, and symbolic links that are swapped. A file with a fault, one that is half-written or one that is
 * gone says nothing.
 */
export class FileSource implements DiscoverySource {
  readonly longestMs = READ_EVERY_MS;
  readonly #options: FileSourceOptions;
  #isFirst = true;
  #hasChanged = false;
  readonly #wake = new Wake();

  constructor(options: FileSourceOptions) {
    this.#options = options;
  }

  async next({ signal, withinMs }: Asking): Promise<Known> {
    if (this.#isFirst) this.#watch();
    else if (!this.#hasChanged) await this.#wake.wait(Math.min(withinMs, READ_EVERY_MS), signal);
    this.#hasChanged = false;
    try {
      const targets = targetsIn(await textIn(this.#options.path), this.#options);
      return { targets, skipped: [], waitMs: 0 };
    } catch (error) {
      // The next look is not to wait for a change: what is half-written now may be whole, and look the same.
      this.#hasChanged = true;
      throw error;
    }
  }

  close(): void {
    unwatchFile(this.#options.path, this.#changed as never);
    this.#wake.now();
  }

  #watch(): void {
    this.#isFirst = false;
    const interval = this.#options.lookEveryMs ?? LOOK_EVERY_MS;
    watchFile(this.#options.path, { persistent: false, interval }, this.#changed);
  }

  readonly #changed: StatsListener = () => {
    this.#hasChanged = true;
    this.#wake.now();
  };
}
