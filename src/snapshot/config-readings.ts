import { hash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { readConfigText } from '../config/included-files.ts';
import { GONE, stampOf } from './config-file-watch.ts';

/** What was found in a configuration file. */
export interface ConfigReading {
  /** Whether neither the file nor what it says has changed since it was last read. */
  readonly isKnown: boolean;
  /** @throws {ConfigError} when it could not be read or is not UTF-8. */
  text(): string;
}

/**
 * Readings of the configuration file, whoever has asked for them. Whoever changes the file and sends `SIGHUP` has it read at
 * once, and then found changed by the watch: that is one change, of which everything has been said.
 */
export class ConfigReadings {
  #last = '';

  /** Reads the file. Never rejects. */
  async read(file: string): Promise<ConfigReading> {
    // Before the text: what changes meanwhile bears another stamp, or says something else, the next time.
    const stamp = await stat(file, { bigint: true }).then(stampOf, () => GONE);
    const found = await readConfigText(file).then(
      (text) => ({ text, digest: hash('sha256', text, 'hex') }),
      (error: unknown) => ({ error, digest: 'unreadable' }),
    );
    const seen = `${stamp} ${found.digest}`;
    const isKnown = seen === this.#last;
    this.#last = seen;
    return {
      isKnown,
      text() {
        if ('text' in found) return found.text;
        throw found.error;
      },
    };
  }
}

/** A text that is not read from the file. */
export function givenText(text: string): ConfigReading {
  return { isKnown: false, text: () => text };
}
