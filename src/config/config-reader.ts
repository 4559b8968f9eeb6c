import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ConfigError, type ConfigFault } from './config-fault.ts';
import type { Variables } from './interpolation.ts';
import { remainsOf, type Cuts } from './remains.ts';
import { readYaml, type YamlDocument } from './yaml-reader.ts';
import { toFaults } from './zod-faults.ts';

/** A configuration that passed its schema, and the document it came from, for messages about it. */
export interface ReadConfig<Value> {
  readonly value: Value;
  readonly document: YamlDocument;
  /** Where it is less than was written, because that has faults. Such a one is looked at, and never put into force. */
  readonly cuts?: Cuts | undefined;
}

/** Thrown for faults of form; what they leave can be looked at for faults of meaning. */
export class FormError<Left = ReadConfig<unknown>> extends ConfigError {
  /** What is left without them, found out when it is asked for; undefined where nothing can be told apart. */
  readonly rest: () => { readonly left: Left; readonly found: readonly ConfigFault[] } | undefined;

  constructor(faults: readonly ConfigFault[], rest: FormError<Left>['rest']) {
    super(faults);
    this.rest = rest;
  }
}

/**
 * Reads a text as YAML and checks it against a schema.
 *
 * @param variables what `${NAME}` stands for; default the environment of the process.
 * @param long how many characters a list has to have to be read piece by piece; see {@link readYaml}.
 * @throws {FormError} with all faults; ConfigError when it is not YAML.
 */
export function readConfig<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  file: string,
  variables?: Variables,
  long?: number,
): ReadConfig<z.output<Schema>> {
  const document = readYaml(text, file, variables, long);
  const result = schema.safeParse(document.value);
  const faults = [
    ...document.faults,
    ...(result.success ? [] : toFaults(result.error, { document, schema })),
  ];
  // A document fault is never let through, even where the schema is content with what is left.
  if (faults.length > 0 || !result.success) throw new FormError(faults, () => restOf(schema, document));
  return { value: result.data, document };
}

function restOf<Schema extends z.ZodType>(
  schema: Schema,
  document: YamlDocument,
): ReturnType<FormError<ReadConfig<z.output<Schema>>>['rest']> {
  const remains = remainsOf(schema, document);
  if (remains === undefined) return undefined;
  const { found, ...left } = remains;
  return {
    left,
    found: found.length === 0 ? [] : toFaults(new z.ZodError([...found]), { document, schema }),
  };
}

/**
 * Reads a file with {@link readConfig}.
 *
 * @throws ConfigError with all faults, also when the file cannot be read or is not UTF-8.
 */
export async function readConfigFile<Schema extends z.ZodType>(
  schema: Schema,
  file: string,
  variables?: Variables,
): Promise<ReadConfig<z.output<Schema>>> {
  return readConfig(schema, await readText(file), file, variables);
}

/** The text of a file. @throws ConfigError when it cannot be read or is not UTF-8. */
export async function readText(file: string): Promise<string> {
  try {
    return decoded(await readFile(file));
  } catch (error) {
    throw new ConfigError([{ file, key: '', message: unreadable(error) }]);
  }
}

/** The text of what was read of a file. @throws ConfigError when it is not UTF-8. */
export function textOf(bytes: Uint8Array, file: string): string {
  try {
    return decoded(bytes);
  } catch (error) {
    throw new ConfigError([{ file, key: '', message: unreadable(error) }]);
  }
}

function decoded(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'expected a file, found a directory',
  ENOTDIR: 'no such file',
  ELOOP: 'a link that leads to itself',
  EACCES: 'no permission to read this file',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'expected UTF-8 text',
};

/** Why a file cannot be read. */
export function unreadable(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? `cannot be read: ${message}`;
}
