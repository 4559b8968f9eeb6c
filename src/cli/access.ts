import { ExplainFault } from '../explain/explain.schema.ts';
import { whoMayCall } from '../explain/who-may-call.ts';
import type { AccessCommand } from './access-command.ts';
import type { OfferedModules, Outlet } from './commands.ts';
import { compiled } from './compiled.ts';
import { readJson } from './explain.ts';
import { UsageError } from './options.ts';
import { renderTable } from './table.ts';

/**
 * Prints who may call what.
 *
 * @throws {ConfigError} with all that is wrong; {UsageError} for what is no caller.
 */
export async function runAccess(
  { configFile, asFile, json }: AccessCommand,
  modules: OfferedModules,
  out: Outlet,
): Promise<void> {
  const caller: unknown = asFile === undefined ? undefined : await readJson('--as', asFile);
  const { gateway, current } = await compiled(configFile, modules);
  try {
    const rows = whoMayCall(current, caller);
    out.write(json ? `${JSON.stringify(rows, null, 2)}\n` : renderTable(rows, out));
  } catch (error) {
    throw error instanceof ExplainFault ? new UsageError(`access: ${error.message}`) : error;
  } finally {
    await gateway.app.close();
  }
}
