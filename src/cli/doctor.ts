import { examine } from '../doctor/doctor.ts';
import { renderResults } from '../doctor/render-results.ts';
import type { OfferedModules, Outlet } from './commands.ts';
import { compiled, readSource } from './compiled.ts';
import type { DoctorCommand } from './doctor-command.ts';

/**
 * Looks at the surroundings of a gateway, and says what to mend.
 *
 * @returns whether nothing has failed.
 * @throws {ConfigError} for a file that cannot be read, or is faulty in its form: it does not say what to look at.
 */
export async function runDoctor(
  { configFile, timeoutMs, json }: DoctorCommand,
  modules: OfferedModules,
  out: Outlet,
): Promise<boolean> {
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
