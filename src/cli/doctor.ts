import { ConfigError, type ConfigFault } from '../config/config-fault.ts';
import { duration } from '../config/units.ts';
import type { CheckResult } from '../doctor/check.ts';
import { examine } from '../doctor/doctor.ts';
import { renderResults } from '../doctor/render-results.ts';
import type { OfferedModules, Outlet } from './commands.ts';
import { compiled, readSource } from './compiled.ts';
import type { DoctorCommand } from './doctor-command.ts';
import { UsageError } from './options.ts';

const LONGEST_MS = 60_000;

function asResult({ file, line, column, key, message, suggestion }: ConfigFault): CheckResult {
  const place = [file, line, column].filter((part) => part !== undefined).join(':');
  const hint = suggestion === undefined ? '' : `; did you mean "${suggestion}"?`;
  const what = `${key === '' ? '' : `${key}: `}${message}${hint}`;
  return { check: 'configuration', subject: place, level: 'fail', what };
}

/**
 * Looks at the surroundings of a gateway, and says what to mend.
 *
 * @returns whether nothing has failed.
 * @throws {UsageError} for a timeout that makes no sense.
 * @throws {ConfigError} for a file that cannot be read, or is faulty in its form: it does not say what to look at. As JSON its
 * faults are what was found.
 */
export async function runDoctor(
  { configFile, timeout, json }: DoctorCommand,
  modules: OfferedModules,
  out: Outlet,
): Promise<boolean> {
  const { success, data: timeoutMs = 0 } = duration.safeParse(timeout);
  if (!success || timeoutMs < 1 || timeoutMs > LONGEST_MS)
    throw new UsageError('doctor: expected --timeout from 1ms to 60s, such as 5s');
  const read = await readSource(configFile).catch((error: unknown) => {
    if (json && error instanceof ConfigError) return error.faults.map(asResult);
    throw error;
  });
  if (!('source' in read)) {
    out.write(`${JSON.stringify(read, null, 2)}\n`);
    return false;
  }
  const { environment, source } = read;
  const compile = async (): Promise<void> => {
    const { gateway } = await compiled(configFile, modules);
    await gateway.app.close();
  };
  const results = await examine({ environment, source, compile }, { timeoutMs });
  out.write(
    json ? `${JSON.stringify(results, null, 2)}\n` : renderResults(results, { color: out.isTTY === true }),
  );
  return results.every(({ level }) => level !== 'fail');
}
