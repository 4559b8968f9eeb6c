import { writeFile } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { writeClient } from '../contracts/client/client-writer.ts';
import type { OpenApiDocument } from '../contracts/openapi.ts';
import type { ContractsCommand } from './arguments.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such folder',
  ENOTDIR: 'there is no such folder',
  EISDIR: 'it is a folder',
  EACCES: 'no permission to write there',
  EROFS: 'no permission to write there',
};

/**
 * Writes the document, or a client made of it, where the command says.
 *
 * @throws {Error} naming the file that cannot be written, and why.
 */
export async function writeContracts(
  command: ContractsCommand,
  document: OpenApiDocument,
  out: Writable,
): Promise<void> {
  const text = command.name === 'client' ? writeClient(document) : `${JSON.stringify(document, null, 2)}\n`;
  if (command.outFile === undefined) return void out.write(text);
  await writeTo(command.outFile, text);
  const count = Object.values(document.paths).flatMap((item) => Object.keys(item)).length;
  out.write(`${command.outFile}: written, ${count} operations\n`);
}

async function writeTo(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new Error(`${file} cannot be written: ${REASONS[code] ?? message}`, { cause: error });
  }
}
