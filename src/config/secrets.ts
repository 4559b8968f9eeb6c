import { resolve } from 'node:path';
import { readSecretFile } from './secret-file.ts';

/** As much as the hashes have bytes that keys are derived by. */
const LEAST_SECRET = 32;

/** Where a configuration says that a secret is: in a variable of the environment, or in a file. */
export interface SecretPlace {
  readonly variable?: string | undefined;
  readonly file?: string | undefined;
  /** What a relative name of a file starts from. Default: the working directory. */
  readonly folder?: string | undefined;
  /** Default: that of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}

/**
 * Reads a secret that others have chosen, as it is; a file without the end of its last line.
 *
 * @throws {Error} saying what to do, never what was found; whoever names the key adds its place.
 */
export function readSecret(place: SecretPlace): string {
  const text = textAt(place).replace(/\r?\n$/, '');
  if (text === '') throw missing(place);
  return text;
}

/**
 * Reads a secret that the gateway derives keys from, of 32 characters or more.
 *
 * @throws {Error} as {@link readSecret}.
 */
export function readLongSecret(place: SecretPlace): string {
  const text = readSecret(place);
  refuseShort([text], place);
  return text;
}

/**
 * Reads secrets of 32 characters or more, of which the first one is used and all of them hold, so that one can be changed for
 * another: between commas, or on lines of their own.
 *
 * @param between what stands between them.
 * @returns one at least.
 * @throws {Error} as {@link readSecret}.
 */
export function readSecrets(place: SecretPlace, between: RegExp = /[,\r\n]/): readonly string[] {
  const secrets = textAt(place)
    .split(between)
    .flatMap((one) => one.trim() || []);
  if (secrets.length === 0) throw missing(place);
  refuseShort(secrets, place);
  return secrets;
}

/** What {@link readSecret} would say; undefined where it would read one. */
export function secretFault(place: SecretPlace): string | undefined {
  try {
    readSecret(place);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function textAt({ variable, file, folder = '', environment = process.env }: SecretPlace): string {
  if (file === undefined) return environment[variable ?? ''] ?? '';
  return readSecretFile(resolve(folder, file));
}

function missing({ variable, file }: SecretPlace): Error {
  return new Error(
    file === undefined
      ? `set the environment variable ${shownName(variable ?? '')}`
      : `expected a secret in ${file}, which is empty`,
  );
}

/** Fails closed: whoever writes a secret in place of a name finds out by its place, and nobody else reads it. */
function shownName(variable: string): string {
  const isName = variable.length < LEAST_SECRET || /^[A-Z_][A-Z0-9_]*$/.test(variable);
  return isName ? variable : 'that is named here; it is not shown, because it may be the secret itself';
}

function refuseShort(secrets: readonly string[], { variable, file }: SecretPlace): void {
  const short = secrets.find(({ length }) => length < LEAST_SECRET);
  if (short === undefined) return;
  // How long it is tells nothing that its refusal does not.
  throw new Error(
    `expected ${file ?? variable} to have ${LEAST_SECRET} characters or more for each secret, there are ${short.length}`,
  );
}
