import type { KeyObject } from 'node:crypto';
import { readNamedFile } from '../config/named-file.ts';
import { resolve } from 'node:path';
import type { FileRemark } from '../config/pem-files.ts';
import { FixedKeys } from './key-ring.ts';
import { publishedKey, readKeys, signingKey, type PublishedKey } from './signing-key.ts';

/** What became of the keys that a configuration names. */
export interface LoadedRing<Ring> {
  /** Undefined where there is a fault, or nothing is said. */
  readonly ring: Ring | undefined;
  readonly faults: readonly FileRemark[];
}

const PATH = ['identity', 'signing'] as const;

/**
 * Reads the files of keys. Those after the first may be public ones: they only go on being published.
 *
 * @param folder that relative names start from: the one of the configuration file.
 */
export function keysOfFiles(files: readonly string[], folder: string): LoadedRing<FixedKeys> {
  const faults: FileRemark[] = [];
  const keys: KeyObject[] = [];
  for (const [index, file] of files.entries()) {
    try {
      const found = readKeys(readNamedFile(resolve(folder, file)).toString());
      check(found, keys.length === 0);
      keys.push(...found);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const told = code === 'ENOENT' ? `there is no file ${resolve(folder, file)}` : message;
      faults.push({ path: [...PATH, 'keys', index], message: told });
    }
  }
  const first = keys[0] && signingKey(keys[0]);
  if (faults.length > 0 || first === undefined) return { ring: undefined, faults };
  const published = new Map(
    keys.map((key) => publishedKey(key) as PublishedKey).map((one) => [one.kid, one]),
  );
  return { ring: new FixedKeys(first, [...published.values()]), faults };
}

function check(keys: readonly KeyObject[], mustSign: boolean): void {
  if (keys.some((key) => publishedKey(key) === undefined))
    throw new Error('expected keys of P-256 or Ed25519');
  if (mustSign && keys[0]?.type !== 'private') throw new Error('expected a private key: the first one signs');
}
