import { duration } from '../config/units.ts';
import { examine } from '../doctor/doctor.ts';
import { renderResults } from '../doctor/render-results.ts';
import type { OfferedModules, Outlet } from './commands.ts';
import { compiled, readSource } from './compiled.ts';
import type { DoctorCommand } from './doctor-command.ts';
import { UsageError } from './options.ts';

const LONGEST_MS = 60_000;

/**
 * Looks at the surroundings of a gateway, and says what to mend.
 *
 * @returns whether nothing has failed.
 * @throws {UsageError} for a timeout that makes no sense.
 * @throws {ConfigError} for a file that cannot be read, or is faulty in its form: it does not say what to look at.
 */
export async function runDoctor(
  { configFile, timeout, json }: DoctorCommand,
  modules: OfferedModules,
  out: Outlet,
): Promise<boolean> {
  const { success, data: timeoutMs = 0 } = duration.safeParse(timeout);
  if (!success || timeoutMs < 1 || timeoutMs > LONGEST_MS)
    throw new UsageError('doctor: expected --timeout from 1ms to 60s, such as 5s');
  const { environment, source } = await readSource(configFile);
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
