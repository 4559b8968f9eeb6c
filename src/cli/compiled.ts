import { ConfigError } from '../config/config-fault.ts';
import { FormError } from '../config/config-reader.ts';
import { readEnvironment, type Environment } from '../config/env.schema.ts';
import type { GatewayModule } from '../config/gateway-module.ts';
import { createGateway, type Gateway } from '../main.ts';
import { wholeRefusal } from '../whole-refusal.ts';
import { configForm } from '../pipeline/actions.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import { readGateway, readGatewayFile, type GatewayReading } from '../routing/teams/read-gateway.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { Snapshots } from '../snapshot/snapshots.ts';
import { createLogger } from '../telemetry/logger.ts';
import { redactNames } from '../telemetry/secret-names.ts';
import { modulesOf, type OfferedModules } from './commands.ts';

const NO_FILE = 'no such file';
const WHERE_TO_NAME_ONE = 'name one with --config FILE or GATEHOUSE_CONFIG';

/** A configuration that was compiled and serves nobody; whoever has it closes it. */
export interface Compiled {
  readonly gateway: Gateway;
  readonly source: GatewaySource;
  readonly current: Snapshot;
  readonly environment: Environment;
}

/**
 * Compiles a configuration: everything that a start would check, short of listening, of Redis, and of whatever else answers
 * from afar.
 *
 * @throws {ConfigError} with all that is wrong.
 */
export async function compiled(configFile: string | undefined, offered: OfferedModules): Promise<Compiled> {
  const { environment, source } = await readWhole(configFile, offered);
  const modules = await modulesFor(source, offered);
  const gateway = await createGateway({
    environment: { ...environment, redisUrl: undefined },
    source,
    modules,
    logger: createLogger('silent'),
    dryRun: true,
  });
  await gateway.init();
  return { gateway, source, current: gateway.app.get(Snapshots).current, environment };
}

/**
 * Loads the modules, for a configuration that names any: code that it does not name has no part in what comes of it, and a
 * reload that names some needs a restart anyway.
 */
export async function modulesFor(
  source: GatewaySource,
  offered: OfferedModules,
): Promise<readonly GatewayModule[]> {
  return source.value.modules.length > 0 ? await modulesOf(offered) : [];
}

/**
 * Reads environment and file, and what the file includes.
 *
 * @param text what the file says, where that was read already.
 * @param reading how; whoever serves leaves out what may be left out. Default: everything that is wrong is told.
 * @throws {ConfigError} with all that is wrong with their form.
 */
export async function readSource(
  configFile: string | undefined,
  text?: string,
  reading: GatewayReading = {},
): Promise<{ readonly environment: Environment; readonly source: GatewaySource }> {
  const environment = readEnvironment(process.env);
  const file = configFile ?? environment.configFile;
  const source =
    text === undefined
      ? await readGatewayFile(configForm, file, reading).catch((error: unknown) => refuse(error, configFile))
      : readGateway(configForm, text, file, reading);
  redactNames(source.value.logging.redact);
  return { environment, source };
}

/**
 * The same for whoever has the modules: with faults of form come those of meaning, of the file and of its modules, that can be told
 * beside them.
 *
 * @throws {ConfigError} with all of them.
 */
export async function readWhole(
  configFile: string | undefined,
  offered: OfferedModules,
  text?: string,
  reading?: GatewayReading,
): ReturnType<typeof readSource> {
  try {
    return await readSource(configFile, text, reading);
  } catch (error) {
    throw await wholeRefusal(error, async (source) => ({
      environment: readEnvironment(process.env),
      modules: await modulesFor(source, offered),
    }));
  }
}

// Whoever has not named a file may not know which one is looked for.
function refuse(error: unknown, named: string | undefined): never {
  if (named !== undefined || !(error instanceof ConfigError) || error instanceof FormError) throw error;
  const hinted = error.faults.map((fault) =>
    fault.message === NO_FILE ? { ...fault, message: `${NO_FILE}; ${WHERE_TO_NAME_ONE}` } : fault,
  );
  throw new ConfigError(hinted);
}
