import { readEnvironment } from './config/env.schema.ts';
import type { GatewayModule } from './config/gateway-module.ts';
import { createGateway as assemble, type Gateway } from './main.ts';
import { wholeRefusal } from './whole-refusal.ts';
import { configForm } from './pipeline/actions.ts';
import type { GatewaySource } from './routing/table-builder.ts';
import { readGateway, readGatewayFile, type GatewayReading } from './routing/teams/read-gateway.ts';
import type { Logger } from './telemetry/logger.ts';
import { redactNames } from './telemetry/secret-names.ts';

/** What a gateway that is started by code is made of. */
export interface GatewayStart {
  /** The configuration file. Default: `GATEHOUSE_CONFIG` of the environment, or `config/gateway.yaml`. */
  readonly config?: string;
  /** What the file says, for a configuration that is in no file; `config` is what faults call it then. */
  readonly text?: string;
  /** What `modules:` of the configuration can name. Default none. */
  readonly modules?: readonly GatewayModule[];
  /** The variables that the gateway reads. Default: those of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Default: lines of JSON on standard output, at the level of the environment. */
  readonly logger?: Logger;
  /** Whether the gateway is only to be checked: nothing is asked that answers from afar. Default false. */
  readonly dryRun?: boolean;
}

/**
 * Puts a gateway together in this process, as `gatehouse start` does; `listen` of what comes back opens its listeners, and
 * `close` drains it. Signals are the caller's: only the bin attaches to them.
 *
 * @throws {ConfigError} with everything that is wrong with the environment, the file and the modules.
 */
export async function createGateway(start: GatewayStart = {}): Promise<Gateway> {
  const { text, modules = [], logger, dryRun = false } = start;
  const environment = readEnvironment(start.environment ?? process.env);
  const file = start.config ?? environment.configFile;
  const reading = { leavesOut: !dryRun };
  const source = await read({ text, file, reading }).catch(async (error: unknown) => {
    throw await wholeRefusal(error, async () => ({ environment, modules }));
  });
  redactNames(source.value.logging.redact);
  return assemble({ environment, source, modules, dryRun, ...(logger && { logger }) });
}

async function read({ text, file, reading }: Read): Promise<GatewaySource> {
  if (text === undefined) return readGatewayFile(configForm, file, reading);
  return readGateway(configForm, text, file, reading);
}

interface Read {
  readonly text: string | undefined;
  readonly file: string;
  readonly reading: GatewayReading;
}
