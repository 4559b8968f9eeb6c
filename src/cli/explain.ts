import { readFile } from 'node:fs/promises';
import { readEnvironment, type AdminVariables } from '../config/env.schema.ts';
import { ExplainFault, readExplainInput, type ExplainInput } from '../explain/explain.schema.ts';
import type { Explanation } from '../explain/explanation.ts';
import { renderExplanation } from '../explain/render-explanation.ts';
import type { OfferedModules, Outlet } from './commands.ts';
import { credentialsOf, refusedBy } from './admin-client.ts';
import type { ExplainCommand } from './explain-command.ts';
import { UsageError } from './options.ts';

/**
 * Explains a request, of the configuration file or of a gateway that runs.
 *
 * @throws {UsageError} for what is no request.
 */
export async function runExplain(
  command: ExplainCommand,
  modules: OfferedModules,
  out: Outlet,
): Promise<void> {
  const input = await explainInputOf(command);
  const told =
    command.adminUrl === undefined
      ? await explainOffline(command.configFile, input, modules)
      : await explainAt(command.adminUrl, input, readEnvironment(process.env).admin);
  out.write(
    command.json
      ? `${JSON.stringify(told, null, 2)}\n`
      : renderExplanation(told, { color: out.isTTY === true }),
  );
}

async function explainOffline(
  configFile: string | undefined,
  input: ExplainInput,
  modules: OfferedModules,
): Promise<Explanation> {
  // Who asks a gateway that runs needs none of this.
  const [{ compiled }, { explain }] = await Promise.all([
    import('./compiled.ts'),
    import('../explain/explain.ts'),
  ]);
  const { gateway, current } = await compiled(configFile, modules);
  try {
    return await explain(input, current);
  } catch (error) {
    throw error instanceof ExplainFault ? new UsageError(`explain: ${error.message}`) : error;
  } finally {
    await gateway.app.close();
  }
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
export async function explainAt(
  adminUrl: string,
  input: ExplainInput,
  shown: AdminVariables = {},
): Promise<Explanation> {
  const answer = await fetch(new URL('/explain', adminUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-gatehouse-admin': 'cli', ...credentialsOf(shown) },
    body: JSON.stringify(input),
  }).catch((error: unknown) => {
    const { cause } = error as Error;
    throw new Error(
      `nobody answers at ${adminUrl}: ${cause instanceof Error ? cause.message : String(error)}`,
    );
  });
  const told = (await answer.json().catch(() => undefined)) as { readonly error?: string } | undefined;
  if (answer.status === 401 || answer.status === 403) throw refusedBy(answer, told);
  if (answer.status === 400) throw new UsageError(`explain: ${told?.error ?? 'this is no request'}`);
  if (!answer.ok || told === undefined) throw refusedBy(answer, undefined);
  return told as unknown as Explanation;
}

async function readText(option: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new UsageError(`${option}: ${isMissing ? `there is no file ${file}` : (error as Error).message}`);
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
