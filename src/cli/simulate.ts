import type { Server } from 'node:http';
import { ConfigError } from '../config/config-fault.ts';
import { readConfigFile, type ReadConfig } from '../config/config-reader.ts';
import type { Environment } from '../config/env.schema.ts';
import type { GatewayModule } from '../config/gateway-module.ts';
import { createGateway } from '../main.ts';
import { Revocations } from '../policies/authentication/revocation/revocations.ts';
import { Recorder } from '../record/recorder.ts';
import { testFaults } from '../simulate/check-tests.ts';
import { makeUpSecrets } from '../simulate/made-up-secrets.ts';
import { renderJunit } from '../simulate/render-junit.ts';
import { renderResults } from '../simulate/render-results.ts';
import { resultsOf, type ResultsInput } from '../simulate/results.ts';
import { routeTestsSchema, type RouteTests } from '../simulate/route-tests.schema.ts';
import { runTests } from '../simulate/run-tests.ts';
import type { StartGateway } from '../simulate/simulation.ts';
import { Snapshots } from '../snapshot/snapshots.ts';
import { createLogger } from '../telemetry/logger.ts';
import type { OfferedModules, Outlet } from './commands.ts';
import { modulesFor, readSource } from './compiled.ts';
import { Incomparable } from './incomparable.ts';
import type { SimulateCommand } from './simulate-command.ts';
import { writeTo } from './written-file.ts';

/** What of the environment does not count: a simulation listens to nobody but itself, and tells nobody. */
const ALONE = {
  port: 0,
  host: '127.0.0.1',
  adminPort: 0,
  adminHost: '127.0.0.1',
  admin: undefined,
  workers: 1,
  redisUrl: undefined,
  otel: undefined,
  drainDelayMs: 0,
  shutdownTimeoutMs: 1000,
} as const;

/**
 * Runs the route tests of a team against its configuration: through a whole gateway, with servers of this machine in place of
 * its upstreams and issuers.
 *
 * @returns whether all went as expected.
 * @throws {Incomparable} with all that is wrong with the configuration or a file of tests.
 */
export async function runSimulate(
  { files, configFile, json, junitFile, failOnUntested }: SimulateCommand,
  offered: OfferedModules,
  out: Outlet,
): Promise<boolean> {
  const results = resultsOf(await incomparableUnless(() => simulated(files, configFile, offered)));
  out.write(json ? `${JSON.stringify(results, null, 2)}\n` : renderResults(results));
  if (junitFile !== undefined) await writeTo(junitFile, renderJunit(results));
  return results.failed === 0 && !(failOnUntested && results.routes.untested.length > 0);
}

async function simulated(
  files: readonly string[],
  configFile: string | undefined,
  offered: OfferedModules,
): Promise<ResultsInput> {
  const read = await readAll(files);
  const { environment, source } = await readSource(configFile);
  const madeUp = makeUpSecrets(source.value, process.env);
  const start = starter(environment, await modulesFor(source, offered));
  const done: ResultsInput['files'][number][] = [];
  for (const [index, tests] of read.entries()) {
    const { value, document } = tests;
    const check: Parameters<typeof runTests>[2]['check'] = (routes) => {
      if (index > 0) return;
      const faults = read.flatMap((one) => testFaults(one, source, routes));
      if (faults.length > 0) throw new ConfigError(faults);
    };
    const of = await runTests(source, value, { start, check });
    done.push({ file: document.file, locate: (path) => document.locate(path), simulated: of });
  }
  return { files: done, source, madeUp };
}

function starter(environment: Environment, modules: readonly GatewayModule[]): StartGateway {
  // One for all of them: each would listen to the end of the process.
  const logger = createLogger('silent');
  return async (source) => {
    const gateway = await createGateway({
      environment: { ...environment, ...ALONE },
      source,
      modules,
      logger,
    });
    await gateway.listen();
    return {
      url: gateway.url,
      server: gateway.app.getHttpServer() as Server,
      recorder: gateway.app.get(Recorder),
      revocations: gateway.app.get(Revocations),
      routes: gateway.app.get(Snapshots).current.table.routes,
      close: () => gateway.close(),
    };
  };
}

// The faults of all files at once.
async function readAll(files: readonly string[]): Promise<readonly ReadConfig<RouteTests>[]> {
  const read = await Promise.allSettled(files.map((file) => readConfigFile(routeTestsSchema, file)));
  const faults = read.flatMap((one) => {
    if (one.status === 'fulfilled') return [];
    if (one.reason instanceof ConfigError) return one.reason.faults;
    throw one.reason;
  });
  if (faults.length > 0) throw new ConfigError(faults);
  return read.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

async function incomparableUnless<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    throw error instanceof ConfigError ? new Incomparable(error) : error;
  }
}
