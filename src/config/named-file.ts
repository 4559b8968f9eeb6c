import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** No certificate, schema or list that a configuration names is larger; a device has no end at all. */
export const LARGEST_NAMED = 64 * 1024 * 1024;
/** Nobody waits for the other end of a pipe: everybody else would wait, too. */
const HOW = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Reads a file that a configuration names.
 *
 * @throws {Error} with a `code`, and without what was found: `ENOENT` and so on where it cannot be read, `EISDIR` for a folder,
 * `ENOTFILE` for what is no file (a pipe, a device), `EFBIG` for one that is larger than `most` bytes.
 */
export function readNamedFile(path: string, most = LARGEST_NAMED): Buffer {
  const file = openSync(path, HOW);
  try {
    const found = fstatSync(file);
    if (found.isDirectory()) throw fault('EISDIR', `${path} is a folder`);
    if (!found.isFile()) throw fault('ENOTFILE', `${path} is no file`);
    const chunks: Buffer[] = [];
    let length = 0;
    // Once more than it says: it may grow meanwhile, and some say that they are empty.
    for (let size = found.size + 1; length <= most; size = 65_536) {
      const chunk = Buffer.allocUnsafe(Math.min(size, most + 1 - length));
      const read = chunk.length === 0 ? 0 : readSync(file, chunk, 0, chunk.length, null);
      if (read === 0) break;
      chunks.push(chunk.subarray(0, read));
      length += read;
    }
    if (length > most) throw fault('EFBIG', `${path} is larger than ${most} bytes`);
    return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length);
  } finally {
    closeSync(file);
  }
}

function fault(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
