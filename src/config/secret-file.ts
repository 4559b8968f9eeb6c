import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** No key and no list of secrets is longer; what is, such as a log that was named by mistake, is not read. */
export const LARGEST_SECRET = 65_536;
/** Nobody waits for the other end of a pipe. */
const NONBLOCKING = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Reads a file that holds a secret, without the end of its last line.
 *
 * @throws {Error} saying which file and why, never what was found: where it cannot be read, is none (a folder, a pipe, a device)
 * or is larger than {@link LARGEST_SECRET} bytes. Empty ones are for whoever asks.
 */
export function readSecretFile(path: string): string {
  return textOf(path).replace(/\r?\n$/, '');
}

function textOf(path: string): string {
  let file: number | undefined;
  try {
    file = openSync(path, NONBLOCKING);
    const found = fstatSync(file);
    if (!found.isFile()) throw new NoSecret(`expected ${path} to be a file`);
    const buffer = Buffer.alloc(LARGEST_SECRET + 1);
    const length = readAll(file, buffer);
    if (length > LARGEST_SECRET)
      throw new NoSecret(`expected ${path} to have ${LARGEST_SECRET} bytes at most for a secret`);
    return buffer.toString('utf8', 0, length);
  } catch (error) {
    if (error instanceof NoSecret) throw error;
    throw new Error(`cannot read ${path} (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`, {
      cause: error,
    });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function readAll(file: number, into: Buffer): number {
  let length = 0;
  while (length < into.length) {
    const read = readSync(file, into, length, into.length - length, null);
    if (read === 0) break;
    length += read;
  }
  return length;
}

class NoSecret extends Error {}
