import type { Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppModule, type AppParts } from '../../src/app.module.ts';
import { readConfig } from '../../src/config/config-reader.ts';
import { readEnvironment } from '../../src/config/env.schema.ts';
import { createGateway, Gateway } from '../../src/main.ts';
import { fastifyOptions } from '../../src/pipeline/fastify-options.ts';
import { gatewaySchema } from '../../src/pipeline/actions.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { NestLogger } from '../../src/telemetry/nest-logger.ts';

/** A line of the gateway's log. */
export type LogLine = Record<string, unknown> & { msg: string };

/** A running gateway and what it said. */
export interface TestGateway {
  readonly gateway: Gateway;
  readonly url: string;
  readonly adminUrl: string;
  /** Every line so far. */
  readonly lines: readonly LogLine[];
  /** The access lines so far; waits until there are at least `count`. */
  accessLines(count: number): Promise<readonly LogLine[]>;
  /** The lines that a test asks for; waits until there is at least one. */
  linesWhere(wanted: (line: LogLine) => boolean): Promise<readonly LogLine[]>;
  stop(): Promise<void>;
}

/** What a test gateway is started with. */
export interface TestGatewayOptions {
  /** The configuration file, as text. */
  readonly config: string;
  /** Variables on top of free ports. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Modules of a team, on top of those of the gateway. */
  readonly modules?: readonly Type[];
}

/** Puts a whole gateway together as `gatehouse validate` does, and takes it apart again. */
export async function checkGateway(options: TestGatewayOptions): Promise<void> {
  const gateway = await built(options, [], true);
  await gateway.init();
  await gateway.app.close();
}

/** Starts a whole gateway on free ports of the loopback interface. */
export async function startGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const lines: LogLine[] = [];
  const gateway = await built(options, lines, false);
  await gateway.listen();
  const linesWhere = async (wanted: (line: LogLine) => boolean, count = 1): Promise<LogLine[]> => {
    const found = () => lines.filter(wanted);
    for (let waited = 0; found().length < count && waited < 3000; waited += 5) await sleep(5);
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

function built(
  { config, environment, modules }: TestGatewayOptions,
  lines: LogLine[],
  dryRun: boolean,
): Promise<Gateway> {
  const variables: Record<string, string> = {
    PORT: '0',
    HOST: '127.0.0.1',
    ADMIN_PORT: '0',
    NODE_ENV: 'test',
    DRAIN_DELAY: '0s',
    ...environment,
  };
  const parts = {
    environment: readEnvironment(variables),
    source: readConfig(gatewaySchema, config, 'gateway.yaml', variables),
    logger: createLogger(variables['LOG_LEVEL'] ?? 'info', collector(lines)),
    dryRun,
  };
  return modules === undefined ? createGateway(parts) : createWith(modules, parts);
}

// What `createGateway` does, with more modules: the way a team would add them to `AppModule`.
async function createWith(modules: readonly Type[], parts: AppParts): Promise<Gateway> {
  class TeamModule {}
  const root = { module: TeamModule, imports: [AppModule.forRoot(parts), ...modules] };
  const adapter = new FastifyAdapter(fastifyOptions(parts.logger));
  const options = { logger: new NestLogger(parts.logger), abortOnError: false };
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, options);
  return new Gateway(app, parts.environment);
}

function collector(lines: LogLine[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString().split('\n'))
        if (line !== '') lines.push(JSON.parse(line) as LogLine);
      done();
    },
  });
}

/** Waits for an event of an emitter, for at most two seconds. */
export async function eventually(emitter: NodeJS.EventEmitter, event: string): Promise<unknown[]> {
  return (await once(emitter, event, { signal: AbortSignal.timeout(2000) })) as unknown[];
}
