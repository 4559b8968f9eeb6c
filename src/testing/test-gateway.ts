import { dirname } from 'node:path';
import type { GatewayModule } from '../config/gateway-module.ts';
import { readEnvironment } from '../config/env.schema.ts';
import { createGateway, type Gateway } from '../main.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import { AuthorizationServer } from '../simulate/authorization-server.ts';
import { aloneOnly } from '../simulate/run-tests.ts';
import type { TestApiKey } from '../simulate/principals.schema.ts';
import { SimulatedIdentity } from '../simulate/simulated-identity.ts';
import { createLogger } from '../telemetry/logger.ts';
import { Ending } from './ending.ts';
import { lendSecrets } from './lent-secrets.ts';
import { LogLines } from './log-lines.ts';
import { holdersOf, Principals, type ApiKeyOptions } from './principals.ts';
import { RunningGateway } from './running-gateway.ts';
import { TestClock } from './test-clock.ts';
import { readTestSource, type ConfigInput } from './test-source.ts';
import { TestUpstreams, type GivenUpstream } from './test-upstreams.ts';

/** What a gateway of a test is started with. */
export interface TestGatewayOptions {
  readonly config: ConfigInput;
  /** What `modules:` of the configuration can name. Default none. */
  readonly modules?: readonly GatewayModule[];
  /** What stands for upstreams, by name. Default: a fake for each. */
  readonly upstreams?: Readonly<Record<string, GivenUpstream>>;
  /** Keys that the kit adds to `identity.apiKeys`. Default none. */
  readonly apiKeys?: readonly ApiKeyOptions[];
  /** What `${NAME}` of the configuration stands for, before those of the process. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Environment of the gateway, such as `REDIS_URL`, and secrets that the configuration names by `…Env`. Default: free ports, and secrets that are made up. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether time stands still, and what time it is then. Default no. */
  readonly clock?: boolean | Date | string;
}

/** A gateway of a test serves this machine, on ports that are free, and does not wait for load balancers when it ends. */
const ALONE = {
  PORT: '0',
  HOST: '127.0.0.1',
  ADMIN_PORT: '0',
  NODE_ENV: 'test',
  DRAIN_DELAY: '0s',
  SHUTDOWN_TIMEOUT: '1s',
} as const;

/**
 * Starts a whole gateway in this process, in front of fakes. Whoever starts it stops it, which leaves nothing behind.
 *
 * @throws {ConfigError} with all that is wrong with the configuration, as `validate` would say it.
 * @throws {TestingError} for options that make no sense.
 */
export async function startTestGateway(options: TestGatewayOptions): Promise<RunningGateway> {
  const ending = new Ending();
  try {
    return await started(options, ending);
  } catch (error) {
    // Why it did not start is what counts.
    await ending.run().catch(() => undefined);
    throw error;
  }
}

async function started(options: TestGatewayOptions, ending: Ending): Promise<RunningGateway> {
  const { modules = [], environment = {}, variables = {} } = options;
  const read = await readTestSource(options.config, variables);
  const holders = holdersOf(options.apiKeys ?? [], read.value.identity);
  ending.add(lendSecrets(read.value, environment));
  const clock = clockOf(options.clock);
  if (clock !== undefined) ending.add(() => clock.restore());
  const upstreams = new TestUpstreams();
  ending.add(() => upstreams.stop());
  if (clock !== undefined) clock.isWaitingOnPurpose = () => upstreams.waiting > 0;
  const server = new AuthorizationServer();
  const played = new SimulatedIdentity();
  const authority = await server.listen();
  ending.add(() => server.close());
  const stood = await upstreams.standFor(read.value.upstreams, options.upstreams ?? {});
  const folder = dirname(read.document.file);
  const value = alone(played, { ...read.value, upstreams: stood }, { holders, authority, folder });
  const logs = new LogLines();
  const gateway = await served({ ...read, value }, { modules, environment, logs, clock, ending });
  const principals = new Principals({ identity: value.identity, played, server, holders });
  return new RunningGateway({ gateway, upstreams, principals, clock, logs, ending });
}

interface ServeOptions {
  readonly modules: readonly GatewayModule[];
  readonly environment: Readonly<Record<string, string>>;
  readonly logs: LogLines;
  readonly clock: TestClock | undefined;
  readonly ending: Ending;
}

async function served(
  source: GatewaySource,
  { modules, environment, logs, clock, ending }: ServeOptions,
): Promise<Gateway> {
  const known = readEnvironment({ ...ALONE, ...environment });
  const logger = createLogger(known.logLevel, logs);
  const gateway = await drive(clock, createGateway({ environment: known, source, modules, logger }));
  ending.add(() => drive(clock, gateway.close()));
  await drive(clock, gateway.listen());
  return gateway;
}

interface AloneOptions {
  readonly holders: ReadonlyMap<string, TestApiKey>;
  readonly authority: string;
  /** The one of the configuration file. */
  readonly folder: string;
}

function alone(
  played: SimulatedIdentity,
  value: GatewaySource['value'],
  { holders, authority, folder }: AloneOptions,
): GatewaySource['value'] {
  const added = [...holders].map(([clientId, apiKey]) => [clientId, { apiKey }] as const);
  const listed = (value.identity?.apiKeys ?? []).map(
    ({ clientId }) => [clientId, { apiKey: { clientId, isListed: true as const } }] as const,
  );
  const principals = Object.fromEntries([...listed, ...added]);
  return aloneOnly(played.standFor(value, { principals }, authority), authority, folder);
}

function clockOf(given: TestGatewayOptions['clock']): TestClock | undefined {
  if (given === undefined || given === false) return undefined;
  return given === true ? new TestClock() : new TestClock(given);
}

function drive<Result>(clock: TestClock | undefined, work: Promise<Result>): Promise<Result> {
  return clock === undefined ? work : clock.drive(work);
}
