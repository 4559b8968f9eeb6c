import { z } from 'zod';

/** The name of a file that holds a secret. */
export const secretFileName = z.string().min(1).max(4096);

type Fault = (path: string[], message: string) => void;

/**
 * Tells of two keys that say where one secret is: both of them, or none where one is needed.
 *
 * @param keys that of the variable, then that of the file.
 */
export function checkSecretPlaces<Key extends string>(
  given: Readonly<Partial<Record<Key, unknown>>>,
  keys: readonly [Key, Key],
  fault: Fault,
  isRequired = false,
): void {
  const count = keys.filter((key) => given[key] !== undefined).length;
  if (count === 1 || (count === 0 && !isRequired)) return;
  fault(count === 0 ? [] : [keys[1]], `expected one of ${keys.join(' and ')}`);
}
