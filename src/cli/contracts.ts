import { writeFile } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { writeClient } from '../contracts/client/client-writer.ts';
import type { OpenApiDocument } from '../contracts/openapi.ts';
import type { ContractsCommand } from './arguments.ts';

/** Writes the document, or a client made of it, where the command says. */
export async function writeContracts(
  command: ContractsCommand,
  document: OpenApiDocument,
  out: Writable,
): Promise<void> {
  const text = command.name === 'client' ? writeClient(document) : `${JSON.stringify(document, null, 2)}\n`;
  if (command.outFile === undefined) return void out.write(text);
  await writeFile(command.outFile, text);
  const count = Object.values(document.paths).flatMap((item) => Object.keys(item)).length;
  out.write(`${command.outFile}: written, ${count} operations\n`);
}
