import { ConfigError } from '../config/config-fault.ts';
import { replay } from '../replay/replay.ts';
import { renderReplayed } from '../replay/render-replayed.ts';
import { SampleFault } from '../replay/sample-reader.ts';
import type { OfferedModules, Outlet } from './commands.ts';
import { compiled, type Compiled } from './compiled.ts';
import { Incomparable } from './incomparable.ts';
import { UsageError } from './options.ts';
import type { ReplayCommand } from './replay-command.ts';

/**
 * Says which requests of a sample would be treated otherwise by another configuration.
 *
 * @returns whether any would, and that is a failure.
 * @throws {Incomparable} when a configuration is faulty; {UsageError} for what is no sample.
 */
export async function runReplay(
  { files, sample, json, failOnChange }: ReplayCommand,
  modules: OfferedModules,
  out: Outlet,
): Promise<boolean> {
  const old = await compiledFile(files[0], modules);
  const now = await compiledFile(files[1], modules);
  try {
    const found = await replay(old.current, now.current, sample);
    out.write(json ? `${JSON.stringify(found, null, 2)}\n` : renderReplayed(found));
    return failOnChange && found.changed > 0;
  } catch (error) {
    throw error instanceof SampleFault ? new UsageError(`replay: ${error.message}`) : error;
  } finally {
    await old.gateway.app.close();
    await now.gateway.app.close();
  }
}

async function compiledFile(file: string, modules: OfferedModules): Promise<Compiled> {
  try {
    return await compiled(file, modules);
  } catch (error) {
    throw error instanceof ConfigError ? new Incomparable(error) : error;
  }
}
