import { hash } from 'node:crypto';
import { resolve } from 'node:path';
import { LARGEST_SECRET, readSecretFile } from './secret-file.ts';

/** Keys of a configuration that name files with secrets; what they hold is never shown. */
const SECRET_KEY = /^(?:secret|clientSecret|privateKey|keys|encryptionKeys)File$/;
/** What stands there starts from the folder of the configuration file; all else from the working directory. */
const FROM_FOLDER: readonly (readonly string[])[] = [['upstreams'], ['cache'], ['identity', 'signing']];

/** A file with a secret that a configuration names. */
export interface NamedSecret {
  readonly path: readonly string[];
  /** Absolute. */
  readonly file: string;
}

/**
 * The files with secrets that a configuration names by keys that end in `File`, wherever they stand.
 *
 * @param folder the one of the configuration file.
 * @param at where in the configuration `value` stands. Default: it is all of it.
 */
export function secretFilesOf(
  value: unknown,
  folder: string,
  at: readonly string[] = [],
): readonly NamedSecret[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]): readonly NamedSecret[] => {
    const path = [...at, key];
    if (typeof one !== 'string') return secretFilesOf(one, folder, path);
    return SECRET_KEY.test(key) ? [{ path, file: resolve(baseOf(path, folder), one) }] : [];
  });
}

/** A digest of what all of them hold: another one after any of them was changed. Never throws. */
export function secretsDigest(named: readonly NamedSecret[]): string {
  return hash('sha256', JSON.stringify(named.map(({ file }) => [file, textOf(file)])), 'base64url');
}

/** Whether a text of that many bytes can be a secret. */
export function canBeSecret(bytes: number): boolean {
  return bytes > 0 && bytes <= LARGEST_SECRET;
}

/** What a file holds; null where it cannot be read, which whoever needs it tells. */
export function textOf(file: string): string | null {
  try {
    return readSecretFile(file);
  } catch {
    return null;
  }
}

function baseOf(path: readonly string[], folder: string): string {
  return FROM_FOLDER.some((from) => from.every((key, index) => path[index] === key)) ? folder : '';
}
