import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { namesIncluded } from '../config/included-files.ts';
import { GONE, LAG_MS, LOOK_EVERY_MS, QUIET_MS, stampOf, type WatchTimes } from './config-file-watch.ts';

/** What is looked for. */
export interface IncludedPlaces {
  /** The folder of the configuration. */
  readonly folder: string;
  readonly patterns: readonly (readonly string[])[];
}

interface Found {
  readonly names: readonly string[];
  readonly stamps: readonly string[];
  /** When the last of them was changed, in ms since the epoch. */
  readonly changedAt: number;
}

/**
 * Tells when a file that a configuration includes has changed, when there is another one, and when one is gone; each time once all
 * of them stay the same for a moment. Like {@link ConfigFileWatch} it looks at what the names lead to.
 */
export class IncludedFilesWatch {
  readonly #places: IncludedPlaces;
  readonly #onChange: () => void;
  readonly #times: Required<WatchTimes>;
  #seen = '';
  #looks: NodeJS.Timeout | undefined = undefined;
  #quiet: NodeJS.Timeout | undefined = undefined;
  #isLooking = false;

  constructor(places: IncludedPlaces, onChange: () => void, times: WatchTimes = {}) {
    this.#places = places;
    this.#onChange = onChange;
    this.#times = { lookEveryMs: LOOK_EVERY_MS, quietMs: QUIET_MS, ...times };
  }

  /**
   * Begins to look.
   *
   * @param known the names of the files that are in use.
   * @param readAtMs when they were read: a change since then is told, too.
   */
  start(known: readonly string[], readAtMs: number): void {
    this.#looks = setInterval(() => void this.#look(), this.#times.lookEveryMs).unref();
    void this.#look((found) => isSame(found.names, known) && found.changedAt < readAtMs - LAG_MS);
  }

  /** Looks no more. */
  stop(): void {
    clearInterval(this.#looks);
    this.#looks = undefined;
    clearTimeout(this.#quiet);
  }

  async #look(isKnown?: (found: Found) => boolean): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const found = await this.#find();
    this.#isLooking = false;
    if (this.#looks === undefined) return;
    const seen = JSON.stringify([found.names, found.stamps]);
    const hasChanged = isKnown === undefined ? seen !== this.#seen : !isKnown(found);
    this.#seen = seen;
    if (!hasChanged) return;
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(this.#onChange, this.#times.quietMs).unref();
  }

  async #find(): Promise<Found> {
    const { folder, patterns } = this.#places;
    const names = await namesIncluded(folder, patterns);
    const stats = await Promise.all(
      names.map((name) => stat(join(folder, name), { bigint: true }).catch(() => undefined)),
    );
    const changedAt = Math.max(0, ...stats.map((one) => (one === undefined ? 0 : Number(one.ctimeMs))));
    return { names, stamps: stats.map((one) => (one === undefined ? GONE : stampOf(one))), changedAt };
  }
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, index) => name === other[index]);
}
