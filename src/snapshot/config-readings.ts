import { hash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { readConfigText } from '../config/included-files.ts';
import { GONE, stampOf } from './config-file-watch.ts';

/** What a configuration is to be read of. */
export interface WantedReading {
  readonly file: string;
  /** Files that the configuration in force names. */
  readonly names: readonly string[];
  /** A text that is taken in place of the file's. */
  readonly given?: string | undefined;
}

/** What was found. */
export interface ConfigReading {
  /** Whether a watch has found what somebody else had read before: of it everything has been said. */
  readonly isKnown: boolean;
  /** @throws {ConfigError} when it could not be read or is not UTF-8. */
  text(): string;
}

/**
 * Readings of the configuration file and of what it names, whoever has asked for them. Whoever changes one of them and sends
 * `SIGHUP` has it read at once, and then found changed by the watch: that is one change.
 */
export class ConfigReadings {
  #file = '';
  #named = '';
  #next = '';

  /** Reads the file. Never rejects. @param trigger `file` and `certificate` are what a watch says. */
  async read(trigger: string, { file, names, given }: WantedReading): Promise<ConfigReading> {
    // Before the text: what changes meanwhile bears another stamp, or says something else, the next time.
    const stamp = await stamped(file);
    const found = given === undefined ? await foundIn(file) : { text: given, digest: '' };
    const seen = given === undefined ? `${stamp} ${found.digest}` : this.#file;
    const isSameFile = seen === this.#file;
    this.#file = seen;
    const isKnown =
      isSameFile &&
      (trigger === 'file' || (trigger === 'certificate' && (await stampsOf(names)) === this.#named));
    return {
      isKnown,
      text() {
        if ('text' in found) return found.text;
        throw found.error;
      },
    };
  }

  /** Is told what a configuration names, before that is read for it; see {@link namedAreRead}. Never rejects. */
  async willRead(names: readonly string[]): Promise<void> {
    this.#next = await stampsOf(names);
  }

  /** Is told that they are read now: one that says what is in force already is not compiled, and reads nothing. */
  namedAreRead(): void {
    this.#named = this.#next;
  }
}

async function stampsOf(names: readonly string[]): Promise<string> {
  const stamps = [...new Set(names)].toSorted().map(async (name) => `${name} ${await stamped(name)}`);
  return (await Promise.all(stamps)).join('\n');
}

function foundIn(file: string): Promise<{ digest: string } & ({ text: string } | { error: unknown })> {
  return readConfigText(file).then(
    (text) => ({ text, digest: hash('sha256', text, 'hex') }),
    (error: unknown) => ({ error, digest: 'unreadable' }),
  );
}

function stamped(path: string): Promise<string> {
  return stat(path, { bigint: true }).then(stampOf, () => GONE);
}
