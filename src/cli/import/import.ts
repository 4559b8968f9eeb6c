import { readFile } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { ConfigError, formatFaults, type ConfigFault } from '../../config/config-fault.ts';
import { readYaml } from '../../config/yaml-reader.ts';
import type { Draft } from './draft.ts';
import type { ImportCommand } from './formats.ts';
import { importKong } from './kong/kong.ts';
import { Notes } from './notes.ts';
import { importOpenapi } from './openapi/openapi.ts';
import { writeTo } from '../written-file.ts';
import { Source } from './source.ts';
import { writeGateway } from './writer.ts';

/** A configuration file, and what of its source has no equivalent in it. */
export interface Imported {
  readonly text: string;
  readonly notes: readonly ConfigFault[];
}

const TRANSLATORS: Readonly<Record<ImportCommand['format'], (root: Source, file: string) => Draft>> = {
  kong: importKong,
  openapi: importOpenapi,
};

/**
 * Writes a configuration file from another one; the report goes to `err`.
 *
 * @throws ConfigError when the source cannot be read as what it is said to be; nothing is written then.
 */
export async function runImport(
  { format, file, outFile }: ImportCommand,
  { out, err }: { readonly out: Writable; readonly err: Writable & { readonly isTTY?: boolean } },
): Promise<void> {
  const { text, notes } = translate(format, await readSource(file), file);
  if (outFile === undefined) out.write(text);
  // What somebody has edited since the last import is not lost by another one.
  else await writeTo(outFile, text, { flag: 'wx' });
  if (notes.length > 0) err.write(`${formatFaults(notes, { color: err.isTTY === true, noun: 'note' })}\n`);
  if (outFile !== undefined) err.write(`${outFile}: written; next: gatehouse validate --config ${outFile}\n`);
}

/**
 * Translates the text of a source.
 *
 * @throws ConfigError with every place that has another form than the format says.
 */
export function translate(format: ImportCommand['format'], text: string, file: string): Imported {
  const document = readYaml(text, file, 'kept');
  const notes = new Notes(document);
  const root = new Source(document.value, [], notes);
  const draft = document.faults.length > 0 ? undefined : TRANSLATORS[format](root, file);
  const faults = [...document.faults, ...notes.faults];
  if (draft === undefined || faults.length > 0) throw new ConfigError(faults);
  for (const path of root.unread()) notes.add('left', path, 'has no equivalent here');
  return { text: writeGateway(draft, file), notes: notes.all };
}

async function readSource(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'no such file' : `cannot be read: ${message}`;
    throw new ConfigError([{ file, key: '', message: reason }]);
  }
}
