import type { Type } from '@nestjs/common';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig } from '../../src/config/config-reader.ts';
import { readEnvironment } from '../../src/config/env.schema.ts';
import type { GatewayModule } from '../../src/config/gateway-module.ts';
import { createGateway, type Gateway } from '../../src/main.ts';
import { gatewaySchema } from '../../src/pipeline/actions.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { LogLines, type LogLine } from '../../src/testing/log-lines.ts';

export type { LogLine };

/** A running gateway and what it said. */
export interface TestGateway {
  readonly gateway: Gateway;
  readonly url: string;
  readonly adminUrl: string;
  /** Every line so far. */
  readonly lines: readonly LogLine[];
  /** The access lines so far; waits until there are at least `count`. */
  accessLines(count: number): Promise<readonly LogLine[]>;
  /** The lines that a test asks for; waits until there are at least `count`, by default one. */
  linesWhere(wanted: (line: LogLine) => boolean, count?: number): Promise<readonly LogLine[]>;
  stop(): Promise<void>;
}

/** What a test gateway is started with. */
export interface TestGatewayOptions {
  /** The configuration file, as text. */
  readonly config: string;
  /** Where it is read again; default a file that is not there. */
  readonly file?: string;
  /** Variables on top of free ports. */
  readonly environment?: Readonly<Record<string, string>>;
  /** More modules than the sample's: classes are switched on, whatever else there is if the configuration says so. */
  readonly modules?: readonly (Type | GatewayModule)[];
}

/** Puts a whole gateway together as `gatehouse validate` does, and takes it apart again. */
export async function checkGateway(options: TestGatewayOptions): Promise<void> {
  const gateway = await built(options, new LogLines(), true);
  await gateway.init();
  await gateway.app.close();
}

/** Starts a whole gateway on free ports of the loopback interface. */
export async function startGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const log = new LogLines(Infinity);
  const { lines } = log;
  const gateway = await built(options, log, false);
  await gateway.listen();
  const linesWhere = async (wanted: (line: LogLine) => boolean, count = 1): Promise<LogLine[]> => {
    const found = () => lines.filter(wanted);
    for (let waited = 0; found().length < count; waited += 5) {
      if (waited >= 10_000)
        throw new Error(`no such line has come, of ${count}; the last is ${lines.at(-1)?.msg}`);
      await sleep(5);
    }
    return found();
  };
  return {
    gateway,
    url: gateway.url,
    adminUrl: gateway.adminUrl,
    lines,
    linesWhere,
    accessLines: (count) => linesWhere((line) => line.msg === 'exchange', count),
    stop: () => gateway.close(),
  };
}

async function built(
  { config, file = 'gateway.yaml', environment, modules = [] }: TestGatewayOptions,
  log: LogLines,
  dryRun: boolean,
): Promise<Gateway> {
  const variables: Record<string, string> = {
    PORT: '0',
    HOST: '127.0.0.1',
    ADMIN_PORT: '0',
    NODE_ENV: 'test',
    DRAIN_DELAY: '0s',
    // How long Redis may take is the matter of those tests that stall it; elsewhere a busy machine decides nothing.
    REDIS_TIMEOUT: '5s',
    // Both ways have to pass: `ANSWER_HEADS=node npm test` takes the other one.
    ANSWER_HEADS: process.env['ANSWER_HEADS'] ?? 'composed',
    ...environment,
  };
  const { value, document } = readConfig(gatewaySchema, config, file, variables);
  const team = modules.map((one) => (typeof one === 'function' ? { name: one.name, module: one } : one));
  // The sample's own code is much, GraphQL with it; most configurations name none of it.
  const sample = value.modules.length > 0 ? (await import('../../src/routes/index.ts')).modules : [];
  const classes = modules.filter((one) => typeof one === 'function').map(({ name }) => name);
  return createGateway({
    environment: readEnvironment(variables),
    source: { value: { ...value, modules: [...value.modules, ...classes] }, document },
    modules: [...sample, ...team],
    logger: createLogger(variables['LOG_LEVEL'] ?? 'info', log),
    dryRun,
  });
}

/** Waits for an event of an emitter, for at most ten seconds. */
export async function eventually(emitter: NodeJS.EventEmitter, event: string): Promise<unknown[]> {
  return (await once(emitter, event, { signal: AbortSignal.timeout(10_000) })) as unknown[];
}
