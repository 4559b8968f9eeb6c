import type { Writable } from 'node:stream';
import { ContractDocument } from '../../contracts/contract-document.ts';
import type { OpenApiDocument } from '../../contracts/openapi.ts';
import type { ContractsCommand } from '../arguments.ts';
import type { OfferedModules } from '../commands.ts';
import { compiled } from '../compiled.ts';
import { writeTo } from '../written-file.ts';
import { readDocument } from './document-source.ts';

/** Writes the contracts of a configuration. @throws {ConfigError} with all that is wrong with it. */
export async function runContracts(
  command: ContractsCommand,
  modules: OfferedModules,
  out: Writable,
): Promise<void> {
  const given = command.name === 'client' ? command.from : undefined;
  if (given !== undefined)
    return writeContracts(command, await readDocument(given.place, given.headers), out);
  const { gateway } = await compiled(command.configFile, modules);
  const { document } = gateway.app.get(ContractDocument).current();
  await gateway.app.close();
  await writeContracts(command, document, out);
}

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
  const text =
    command.name === 'client' ? await clientOf(document) : `${JSON.stringify(document, null, 2)}\n`;
  if (command.outFile === undefined) return void out.write(text);
  await writeTo(command.outFile, text);
  const count = Object.values(document.paths).flatMap((item) => Object.keys(item)).length;
  out.write(`${command.outFile}: written, ${count} operations\n`);
}

async function clientOf(document: OpenApiDocument): Promise<string> {
  return (await import('../../contracts/client/client-writer.ts')).writeClient(document);
}
