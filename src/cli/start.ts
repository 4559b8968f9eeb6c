import { runGateway } from '../main.ts';
import { createLogger } from '../telemetry/logger.ts';
import type { OfferedModules } from './commands.ts';
import { modulesFor, readSource } from './compiled.ts';

/** Starts the gateway. @throws {Error} for what keeps it from starting. */
export async function runStart(configFile: string | undefined, offered: OfferedModules): Promise<void> {
  const { environment, source } = await readSource(configFile);
  const logger = createLogger(environment.logLevel);
  const modules = await modulesFor(source, offered);
  const gateway = await runGateway({ environment, source, modules, logger });
  const { url, urls, adminUrl } = gateway;
  const places = urls.length > 1 ? { urls } : { url };
  logger.info({ ...places, adminUrl, config: source.document.file }, 'listening');
}
