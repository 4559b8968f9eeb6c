import { readFile } from 'node:fs/promises';
import { ExplainFault, readExplainInput, type ExplainInput } from '../explain/explain.schema.ts';
import type { Explanation } from '../explain/explanation.ts';
import { readOptions, UsageError } from './options.ts';

/** What somebody wants to have explained, and how it is shown. */
export interface ExplainCommand {
  readonly name: 'explain';
  readonly configFile: string | undefined;
  readonly request: string;
  readonly headers: readonly string[];
  /** Files with who calls, as JSON, and with the body. */
  readonly asFile: string | undefined;
  readonly bodyFile: string | undefined;
  readonly from: string | undefined;
  /** The operators' listener of a running gateway; undefined: the configuration file alone. */
  readonly adminUrl: string | undefined;
  readonly json: boolean;
}

const OPTIONS = {
  config: { type: 'string', short: 'c' },
  header: { type: 'string', short: 'H', multiple: true },
  as: { type: 'string' },
  body: { type: 'string' },
  from: { type: 'string' },
  admin: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/**
 * Reads the arguments behind `gatehouse explain`.
 *
 * @returns undefined when somebody asks for help.
 * @throws UsageError for what makes no sense.
 */
export function explainCommand(args: readonly string[]): ExplainCommand | undefined {
  const end = args.findIndex((argument) => argument.startsWith('-'));
  const words = end < 0 ? args : args.slice(0, end);
  const values = readOptions(args.slice(words.length), OPTIONS);
  if (values.flag('help')) return undefined;
  if (words.length === 0)
    throw new UsageError("explain: expected a request first, such as 'GET /api/v2/users/7'");
  const adminUrl = values.text('admin');
  if (adminUrl !== undefined && !/^https?:\/\/[^/]/.test(adminUrl))
    throw new UsageError(`--admin: expected where the operators' listener is, such as http://127.0.0.1:9901`);
  if (adminUrl !== undefined && values.flag('config'))
    throw new UsageError('expected --admin or --config, not both: a running gateway has its configuration');
  return {
    name: 'explain',
    configFile: values.text('config'),
    request: words.join(' '),
    headers: values.list('header'),
    asFile: values.text('as'),
    bodyFile: values.text('body'),
    from: values.text('from'),
    adminUrl,
    json: values.flag('json'),
  };
}

/**
 * Reads what is to be explained, files and all.
 *
 * @throws UsageError for what is none, or cannot be read.
 */
export async function explainInputOf(command: ExplainCommand): Promise<ExplainInput> {
  const { request, headers, asFile, bodyFile, from } = command;
  const as = asFile === undefined ? undefined : await readJson('--as', asFile);
  const body = bodyFile === undefined ? undefined : await readText('--body', bodyFile);
  try {
    return readExplainInput({ request, headers, ...(as !== undefined && { as }), body, from });
  } catch (error) {
    throw error instanceof ExplainFault ? new UsageError(`explain: ${error.message}`) : error;
  }
}

/**
 * Asks a running gateway.
 *
 * @throws UsageError when it says that this is no request.
 * @throws {Error} when nobody answers there, or somebody else.
 */
export async function explainAt(adminUrl: string, input: ExplainInput): Promise<Explanation> {
  const answer = await fetch(new URL('/explain', adminUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(input),
  }).catch((error: unknown) => {
    const { cause } = error as Error;
    throw new Error(
      `nobody answers at ${adminUrl}: ${cause instanceof Error ? cause.message : String(error)}`,
    );
  });
  const told = (await answer.json().catch(() => undefined)) as { readonly error?: string } | undefined;
  if (answer.status === 400) throw new UsageError(`explain: ${told?.error ?? 'this is no request'}`);
  if (!answer.ok || told === undefined)
    throw new Error(`${adminUrl} answers ${answer.status}, which is no explanation; is it ADMIN_PORT?`);
  return told as unknown as Explanation;
}

async function readText(option: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${option}: ${(error as Error).message}`);
  }
}

/** Reads a file of JSON that an option names. @throws UsageError for what is none. */
export async function readJson(option: string, file: string): Promise<unknown> {
  const text = await readText(option, file);
  try {
    return JSON.parse(text);
  } catch {
    // Not what the parser says, which quotes the file.
    throw new UsageError(`${option}: ${file} holds no JSON`);
  }
}
