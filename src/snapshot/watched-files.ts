import { dirname } from 'node:path';
import { bundleOf } from '../config/config-bundle.ts';
import { ConfigFileWatch, type WatchTimes } from './config-file-watch.ts';
import { IncludedFilesWatch } from './included-files-watch.ts';

/** The configuration file, those that it includes, and those that it names, which are looked at for changes. */
export class WatchedFiles {
  readonly #file: string;
  readonly #onChange: (trigger: 'file' | 'certificate') => void;
  readonly #watches = new Map<string, ConfigFileWatch>();
  #included: IncludedFilesWatch | undefined = undefined;
  #times: WatchTimes | undefined = undefined;
  #isWatching = false;

  /** @param onChange hears of a change: `file`, or `certificate` of one that it names. */
  constructor(file: string, onChange: (trigger: 'file' | 'certificate') => void) {
    this.#file = file;
    this.#onChange = onChange;
  }

  /**
   * Begins to look.
   *
   * @param names the files that the configuration in force names.
   * @param readAtMs since when the files may have changed, in ms since the epoch: when the first of them was read.
   * @param of.text what the configuration says, and with it the files that it includes.
   */
  start(
    names: readonly string[],
    readAtMs: number,
    { times, text = '' }: { readonly times?: WatchTimes | undefined; readonly text?: string } = {},
  ): void {
    this.#isWatching = true;
    this.#times = times;
    this.use(names, readAtMs, text);
  }

  /** Goes by what another configuration names and includes, which was read at a time; nothing before {@link start}. */
  use(names: readonly string[], readAtMs: number, text = ''): void {
    if (!this.#isWatching) return;
    const wanted = new Set([this.#file, ...names]);
    for (const [name, watch] of this.#watches) {
      if (wanted.has(name)) continue;
      watch.stop();
      this.#watches.delete(name);
    }
    for (const name of wanted) if (!this.#watches.has(name)) this.#watch(name, readAtMs);
    this.#included?.stop();
    const { patterns, parts } = bundleOf(text);
    if (patterns.length === 0) return void (this.#included = undefined);
    const folder = dirname(this.#file);
    const known = parts.map(({ name }) => name);
    this.#included = new IncludedFilesWatch({ folder, patterns }, () => this.#onChange('file'), this.#times);
    this.#included.start(known, readAtMs);
  }

  /** Looks no more. */
  stop(): void {
    this.#isWatching = false;
    this.#included?.stop();
    for (const watch of this.#watches.values()) watch.stop();
  }

  #watch(name: string, readAtMs: number): void {
    const trigger = name === this.#file ? 'file' : 'certificate';
    const watch = new ConfigFileWatch(name, () => this.#onChange(trigger), this.#times);
    this.#watches.set(name, watch);
    watch.start(readAtMs);
  }
}
