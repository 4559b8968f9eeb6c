import { createRequire } from 'node:module';
import { ConfigError, formatFaults } from '../config/config-fault.ts';
import { readConfigFile } from '../config/config-reader.ts';
import { readEnvironment, type Environment } from '../config/env.schema.ts';
import type { GatewayModule } from '../config/gateway-module.ts';
import { describeRoutes } from '../admin/route-listing.ts';
import { ContractDocument } from '../contracts/contract-document.ts';
import { explain } from '../explain/explain.ts';
import { ExplainFault, type ExplainInput } from '../explain/explain.schema.ts';
import type { Explanation } from '../explain/explanation.ts';
import { renderExplanation } from '../explain/render-explanation.ts';
import { whoMayCall } from '../explain/who-may-call.ts';
import { createGateway, runGateway, type Gateway } from '../main.ts';
import { gatewaySchema } from '../pipeline/actions.ts';
import { diffConfigs, isEmpty } from '../snapshot/config-diff.ts';
import { warningsOf } from '../snapshot/config-warnings.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { Snapshots } from '../snapshot/snapshots.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import { createLogger } from '../telemetry/logger.ts';
import {
  HELP,
  parseArguments,
  UsageError,
  type Command,
  type ContractsCommand,
  type DiffCommand,
} from './arguments.ts';
import { callerOf, type AccessCommand } from './access.ts';
import { runCanary } from './canary.ts';
import { writeContracts } from './contracts.ts';
import { renderDiff } from './diff.ts';
import { explainAt, explainInputOf, type ExplainCommand } from './explain.ts';
import { runImport } from './import/import.ts';
import { createKey } from './keys.ts';
import { renderTable } from './table.ts';

const USAGE_EXIT_CODE = 2;
const DIFFERS_EXIT_CODE = 1;
const NO_SUCH_HOST: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN']);

/**
 * Runs the `gatehouse` bin. Sets the exit code: 0, 1 for a fault or a difference, 2 for arguments that make no sense.
 *
 * @param modules what `modules:` of the configuration can name. Default none.
 */
export async function main(args: readonly string[], modules: readonly GatewayModule[] = []): Promise<void> {
  try {
    await run(parseArguments(args), modules);
  } catch (error) {
    const isUsage = error instanceof UsageError || error instanceof Incomparable;
    process.exitCode = isUsage ? USAGE_EXIT_CODE : 1;
    process.stderr.write(`${faultText(error instanceof Incomparable ? error.cause : error)}\n`);
  }
}

async function run(command: Command, modules: readonly GatewayModule[]): Promise<void> {
  switch (command.name) {
    case 'help':
      return void process.stdout.write(`${HELP}\n`);
    case 'version':
      return void process.stdout.write(`${version()}\n`);
    case 'keys create':
      return createKey(command, { redisUrl: readEnvironment(process.env).redisUrl, out: process.stdout });
    case 'openapi':
    case 'client':
      return contracts(command, modules);
    case 'access':
      return access(command, modules);
    case 'explain':
      return explainRequest(command, modules);
    case 'import':
      return runImport(command, { out: process.stdout, err: process.stderr });
    case 'canary':
      return runCanary(command, readEnvironment(process.env), process.stdout);
    case 'diff':
      return diff(command, modules);
    case 'start':
      return start(command.configFile, modules);
    case 'validate':
      return validate(command.configFile, modules);
    case 'routes':
      return routes(command.configFile, modules);
  }
}

async function start(configFile: string | undefined, modules: readonly GatewayModule[]): Promise<void> {
  const { environment, source } = await read(configFile);
  const logger = createLogger(environment.logLevel);
  const gateway = await runGateway({ environment, source, modules, logger });
  const { url, urls, adminUrl } = gateway;
  const places = urls.length > 1 ? { urls } : { url };
  logger.info({ ...places, adminUrl, config: source.document.file }, 'listening');
}

async function validate(configFile: string | undefined, modules: readonly GatewayModule[]): Promise<void> {
  const { gateway, source } = await compile(configFile, modules);
  const { current } = gateway.app.get(Snapshots);
  // What stands in the file is counted as it was written there: versions and methods make several routes of one.
  const written = source.value.routes.length;
  const ofCode = current.table.routes.filter(({ door }) => door === 'handler').length;
  // Only a warning here: it may be the gateway itself that listens there, before it hears of the change.
  const warnings = [...warningsOf(current), ...(await gateway.takenPorts())];
  await gateway.app.close();
  if (warnings.length > 0) {
    const text = formatFaults(warnings, { color: process.stderr.isTTY, noun: 'warning' });
    process.stderr.write(`${text}\n`);
  }
  process.stdout.write(
    `${source.document.file}: valid, ${written} ${written === 1 ? 'route' : 'routes'} in the file, ${ofCode} in code\n`,
  );
}

async function routes(configFile: string | undefined, modules: readonly GatewayModule[]): Promise<void> {
  const { gateway } = await compile(configFile, modules);
  const { table, upstreams } = gateway.app.get(Snapshots).current;
  const listed = describeRoutes(table.routes, upstreams);
  await gateway.app.close();
  process.stdout.write(renderTable(listed));
}

async function access(command: AccessCommand, modules: readonly GatewayModule[]): Promise<void> {
  const caller = await callerOf(command);
  const { gateway } = await compile(command.configFile, modules);
  const rows = await closing(gateway, (snapshot) => whoMayCall(snapshot, caller), 'access');
  process.stdout.write(command.json ? `${JSON.stringify(rows, null, 2)}\n` : renderTable(rows));
}

async function explainRequest(command: ExplainCommand, modules: readonly GatewayModule[]): Promise<void> {
  const input = await explainInputOf(command);
  const told =
    command.adminUrl === undefined
      ? await explainOffline(command.configFile, input, modules)
      : await explainAt(command.adminUrl, input);
  process.stdout.write(command.json ? `${JSON.stringify(told, null, 2)}\n` : renderExplanation(told));
}

async function explainOffline(
  configFile: string | undefined,
  input: ExplainInput,
  modules: readonly GatewayModule[],
): Promise<Explanation> {
  const { gateway } = await compile(configFile, modules);
  return closing(gateway, (snapshot) => explain(input, snapshot), 'explain');
}

/** Looks at what a gateway has compiled, and takes it apart again. */
async function closing<Result>(
  { app }: Gateway,
  look: (snapshot: Snapshot) => Result,
  name: string,
): Promise<Result> {
  try {
    return look(app.get(Snapshots).current);
  } catch (error) {
    throw error instanceof ExplainFault ? new UsageError(`${name}: ${error.message}`) : error;
  } finally {
    await app.close();
  }
}

async function diff({ files, json }: DiffCommand, modules: readonly GatewayModule[]): Promise<void> {
  const before = await snapshotOf(files[0], modules);
  const found = diffConfigs(before, await snapshotOf(files[1], modules));
  process.stdout.write(json ? `${JSON.stringify(found, null, 2)}\n` : renderDiff(found));
  process.exitCode = isEmpty(found) ? 0 : DIFFERS_EXIT_CODE;
}

async function snapshotOf(configFile: string, modules: readonly GatewayModule[]): Promise<Snapshot> {
  try {
    const { gateway } = await compile(configFile, modules);
    const { current } = gateway.app.get(Snapshots);
    await gateway.app.close();
    return current;
  } catch (error) {
    throw error instanceof ConfigError ? new Incomparable(error) : error;
  }
}

/** Neither yes nor no: one of the two is faulty. */
class Incomparable extends Error {
  override readonly cause: ConfigError;

  constructor(cause: ConfigError) {
    super(cause.message);
    this.cause = cause;
  }
}

async function contracts(command: ContractsCommand, modules: readonly GatewayModule[]): Promise<void> {
  const { gateway } = await compile(command.configFile, modules);
  const { document } = gateway.app.get(ContractDocument).current();
  await gateway.app.close();
  await writeContracts(command, document, process.stdout);
}

// Everything that a start would check, short of listening, of Redis, and of whatever else answers from afar.
async function compile(
  configFile: string | undefined,
  modules: readonly GatewayModule[],
): Promise<{ gateway: Gateway; source: GatewaySource }> {
  const { environment, source } = await read(configFile);
  const gateway = await createGateway({
    environment: { ...environment, redisUrl: undefined },
    source,
    modules,
    logger: createLogger('silent'),
    dryRun: true,
  });
  await gateway.init();
  return { gateway, source };
}

async function read(
  configFile: string | undefined,
): Promise<{ environment: Environment; source: GatewaySource }> {
  const environment = readEnvironment(process.env);
  return { environment, source: await readConfigFile(gatewaySchema, configFile ?? environment.configFile) };
}

function faultText(error: unknown): string {
  if (error instanceof ConfigError) return formatFaults(error.faults, { color: process.stderr.isTTY });
  if (error instanceof UsageError) return `gatehouse: ${error.message}`;
  const { code, port, address, hostname, message, stack } = error as NodeJS.ErrnoException & {
    port?: number;
    address?: string;
    hostname?: string;
  };
  if (code === 'EADDRINUSE') {
    return `gatehouse: port ${port} on ${address} is taken; set PORT or ADMIN_PORT to another one`;
  }
  if (code === 'EACCES' && port !== undefined) return `gatehouse: no permission to listen on port ${port}`;
  const host = hostname ?? address;
  if (code !== undefined && NO_SUCH_HOST.has(code) && host !== undefined)
    return `gatehouse: this machine has no address ${host} to listen on; set HOST or ADMIN_HOST to another one`;
  return `gatehouse: ${process.env['LOG_LEVEL'] === 'debug' ? stack : message}`;
}

function version(): string {
  return (createRequire(import.meta.url)('../../package.json') as { version: string }).version;
}
