import { readEnvironment, type Environment } from '../config/env.schema.ts';
import { ProcessLife } from '../process-life.ts';
import { WORKER_VARIABLE } from '../workers/worker-variable.ts';
import type { OfferedModules } from './commands.ts';

/** What cut-off workers may take to leave their lines, in ms: these pass through this process. */
const CUT_OFF_MS = 500;

/**
 * Starts the gateway: in this process, or in as many workers as `WORKERS` says, which this one keeps.
 *
 * @throws {Error} for what keeps it from starting.
 */
export async function runStart(configFile: string | undefined, offered: OfferedModules): Promise<void> {
  const environment = readEnvironment(process.env);
  if (process.env[WORKER_VARIABLE] !== undefined) return startWorker(configFile, offered);
  if (environment.workers > 1) return startPrimary(environment, configFile);
  const { runGateway } = await import('../main.ts');
  const { createLogger } = await import('../telemetry/logger.ts');
  const { modulesFor, readWhole } = await import('./compiled.ts');
  const { source } = await readWhole(configFile, offered, undefined, { leavesOut: true });
  const logger = createLogger(environment.logLevel);
  const modules = await modulesFor(source, offered);
  const { url, urls, adminUrl } = await runGateway({ environment, source, modules, logger });
  const places = urls.length > 1 ? { urls } : { url };
  logger.info({ ...places, adminUrl, config: source.document.file }, 'listening');
}

async function startWorker(configFile: string | undefined, offered: OfferedModules): Promise<void> {
  const { WorkerSeat } = await import('../workers/worker-seat.ts');
  const { runWorker } = await import('../main.ts');
  const { createLogger, WorkerLines } = await import('../telemetry/logger.ts');
  const { modulesFor, readWhole } = await import('./compiled.ts');
  const seat = await WorkerSeat.take();
  const { environment, source } = await readWhole(configFile, offered, seat.beginning.text, {
    leavesOut: true,
  });
  const logger = createLogger(environment.logLevel, new WorkerLines(seat.number, seat.turns));
  const modules = await modulesFor(source, offered);
  await runWorker({ environment, source, modules, logger }, seat);
}

// It loads no gateway: it listens to operators, and passes lines on.
async function startPrimary(environment: Environment, configFile: string | undefined): Promise<void> {
  const { Primary } = await import('../workers/primary.ts');
  const primary = new Primary(environment, configFile ?? environment.configFile);
  const { logger } = primary;
  const life = new ProcessLife(primary, { environment, logger, cutOffMs: CUT_OFF_MS });
  life.attach();
  try {
    await primary.start();
  } catch (error) {
    life.detach();
    throw error;
  }
}
