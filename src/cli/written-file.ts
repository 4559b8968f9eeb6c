import { writeFile } from 'node:fs/promises';

const REASONS: Readonly<Record<string, string>> = {
  EEXIST: 'it is there already; remove it, or name another one',
  ENOENT: 'there is no such folder',
  ENOTDIR: 'there is no such folder',
  EISDIR: 'it is a folder',
  EACCES: 'no permission to write there',
  EPERM: 'no permission to write there',
  EROFS: 'no permission to write there',
  ENOSPC: 'the disk is full',
};

/** Writes a file that somebody has named. @throws {Error} for people, naming the file, and why it cannot be written. */
export async function writeTo(
  file: string,
  content: string | Uint8Array,
  options: { readonly flag?: 'wx'; readonly mode?: number } = {},
): Promise<void> {
  await writeFile(file, content, options).catch((error: unknown) => {
    throw cannotWrite(file, error);
  });
}

/** What people are told of a file that cannot be written. */
export function cannotWrite(file: string, cause: unknown): Error {
  const { code = '', message } = cause as NodeJS.ErrnoException;
  return new Error(`${file} cannot be written: ${REASONS[code] ?? message}`, { cause });
}
