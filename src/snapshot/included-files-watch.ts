import { statSync, type BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { namesIncluded } from '../config/included-files.ts';
import { LAG_MS, LOOK_EVERY_MS, QUIET_MS, stampOf, type WatchTimes } from './config-file-watch.ts';

/** What is looked for. */
export interface IncludedPlaces {
  /** The folder of the configuration. */
  readonly folder: string;
  readonly patterns: readonly (readonly string[])[];
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
    // At once, so that what changes from here on bears another stamp; which names there are is looked at after that.
    const names = [...new Set(known)].toSorted();
    const found = names.map((name) => statOf(join(this.#places.folder, name)));
    this.#seen = seenOf(names, found);
    if (found.some((one) => one === undefined || Number(one.ctimeMs) >= readAtMs - LAG_MS)) this.#changed();
    this.#looks = setInterval(() => void this.#look(), this.#times.lookEveryMs).unref();
    void this.#look();
  }

  /** Looks no more. */
  stop(): void {
    clearInterval(this.#looks);
    this.#looks = undefined;
    clearTimeout(this.#quiet);
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const { folder, patterns } = this.#places;
    const names = await namesIncluded(folder, patterns);
    const found = names.map((name) => stat(join(folder, name), { bigint: true }).catch(() => undefined));
    const seen = seenOf(names, await Promise.all(found));
    this.#isLooking = false;
    if (this.#looks === undefined || seen === this.#seen) return;
    this.#seen = seen;
    this.#changed();
  }

  #changed(): void {
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(this.#onChange, this.#times.quietMs).unref();
  }
}

function seenOf(names: readonly string[], found: readonly (BigIntStats | undefined)[]): string {
  return JSON.stringify([names, found.map(stampOf)]);
}

function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}
