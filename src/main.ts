import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { setTimeout as sleep } from 'node:timers/promises';
import { AdminListener } from './admin/admin.listener.ts';
import { AuditTrail } from './audit/audit-trail.ts';
import { AppModule, type GatewayOptions } from './app.module.ts';
import { ConfigError, type ConfigFault } from './config/config-fault.ts';
import type { Environment } from './config/env.schema.ts';
import { redisPlaceOf } from './config/redis-url.ts';
import { disableComposedAnswers, enableComposedAnswers } from './exchange/composed-answer.ts';
import { Draining } from './health/draining.ts';
import { FollowedSources } from './health/followed-sources.ts';
import { Warming } from './health/warming.ts';
import { fastifyOptions } from './pipeline/fastify-options.ts';
import { ClientListeners } from './pipeline/client-listeners.ts';
import { Connections } from './pipeline/connections.ts';
import { gatewayAdapter } from './pipeline/gateway-adapter.ts';
import { ProcessLife } from './process-life.ts';
import { BootFaults } from './routing/boot-faults.ts';
import type { JointReload } from './snapshot/reload-end.ts';
import type { ClusterConfig } from './kubernetes/cluster-config.ts';
import { Reloads, type Reload } from './snapshot/reloads.ts';
import type { GatewaySource } from './routing/table-builder.ts';
import { Snapshots } from './snapshot/snapshots.ts';
import { createLogger, type Logger } from './telemetry/logger.ts';
import { LOGGER } from './telemetry/telemetry.module.ts';
import { learnSecret } from './telemetry/redaction.ts';
import { Metrics } from './telemetry/metrics.ts';
import { NestLogger } from './telemetry/nest-logger.ts';
import { Tracer } from './tracing/tracer.ts';
import type { WorkerSeat } from './workers/worker-seat.ts';

/** What the last spans may take to reach the collector, in ms: less than a shutdown has for its goodbyes. */
const LAST_SPANS_MS = 2000;

/** Each worker would follow the cluster, and take another configuration than its siblings for a while. */
const SINGLY =
  'expected 1 beside `kubernetes` in the configuration: run more replicas in place of more workers';

/** A compiled gateway; {@link listen} opens its two listeners. */
export class Gateway {
  readonly app: NestFastifyApplication;
  /** Address of the clients' listener, once it listens; the first one of several. */
  url = '';
  /** Address of the operators' listener, once it listens. */
  adminUrl = '';
  readonly #environment: Environment;
  /** Absent unless the configuration asks for it. */
  #cluster: ClusterConfig | undefined = undefined;
  readonly #isWorker: boolean;

  /** @param isWorker whether another process has the operators' listener. */
  constructor(app: NestFastifyApplication, environment: Environment, isWorker = false) {
    this.app = app;
    this.#environment = environment;
    this.#isWorker = isWorker;
  }

  /**
   * Puts everything together, short of listening.
   *
   * @throws {ConfigError} with everything that keeps the gateway from starting; it is closed then.
   */
  async init(): Promise<void> {
    try {
      await this.app.init();
      const snapshots = this.app.get(Snapshots);
      this.#checkFollowed(snapshots);
      this.app.get(Warming).awaited = () => [
        ...(this.#cluster?.awaited ?? []),
        ...snapshots.current.upstreams.awaited,
      ];
    } catch (error) {
      const fault = this.app.get(BootFaults).with(error);
      // What is half built may not end in an orderly way, and why it was not built is what counts.
      await this.app.close().catch(() => undefined);
      throw fault;
    }
  }

  /**
   * @param prepared is awaited before clients can connect. Default nothing.
   * @throws {Error} with the code `EADDRINUSE` when a port is taken; nothing listens then.
   */
  async listen(prepared?: () => Promise<void>): Promise<void> {
    const { port, host } = this.#environment;
    if (!this.#isWorker) this.adminUrl = await this.app.get(AdminListener).listen();
    try {
      await this.init();
      await this.#follow();
      await prepared?.();
      // Past `app.listen`, which logs the error that is about to be told.
      const [url] = await this.app.get(ClientListeners).listen();
      this.url = url ?? (await this.app.getHttpAdapter().getInstance().listen({ port, host }));
    } catch (error) {
      await this.app.get(AdminListener).close();
      throw error;
    }
  }

  // Whoever only checks the configuration is told as well.
  #checkFollowed({ current }: Snapshots): void {
    const isOne = !this.#isWorker && this.#environment.workers === 1;
    if (current.source.value.kubernetes !== undefined && !isOne)
      throw new ConfigError([{ file: 'environment', key: 'WORKERS', message: SINGLY }]);
  }

  // What follows a cluster is loaded only where there is one.
  async #follow(): Promise<void> {
    const { source } = this.app.get(Snapshots).current;
    const options = source.value.kubernetes;
    if (options === undefined) return;
    const { ClusterConfig } = await import('./kubernetes/cluster-config.ts');
    const reloads = this.app.get(Reloads);
    const logger = this.app.get<Logger>(LOGGER);
    const reload = (): Promise<Reload> => reloads.reload('cluster');
    const { port: environmentPort } = this.#environment;
    const listeners = (): GatewaySource['value']['listeners'] =>
      this.app.get(Snapshots).current.source.value.listeners;
    const metrics = this.app.get(Metrics);
    const cluster = new ClusterConfig(
      { logger, metrics, source, environmentPort, listeners, reload },
      options,
    );
    this.#cluster = cluster;
    this.app.get(FollowedSources).stale = () => cluster.stale;
    reloads.additions.source = cluster;
    cluster.start();
  }

  /** Addresses of all of the clients' listeners. */
  get urls(): readonly string[] {
    const { urls } = this.app.get(ClientListeners);
    return urls.length > 0 ? urls : [this.url];
  }

  /** Which ports of the configuration cannot be listened on right now; for one that does not listen. */
  takenPorts(): Promise<readonly ConfigFault[]> {
    return this.app.get(ClientListeners).probe();
  }

  /** Reads the configuration again and puts it into force, unless something speaks against it. */
  reload(trigger: string, joint?: JointReload): Promise<Reload> {
    return this.app.get(Reloads).reload(trigger, joint);
  }

  /** Takes over every change of the configuration file from now on. */
  watch(): void {
    this.app.get(Reloads).watch();
  }

  /**
   * Leaves in an orderly way: readiness says no, the load balancer gets time to notice, open exchanges finish,
   * and what has not finished by then is cut off, and leaves its access line.
   */
  async close(): Promise<void> {
    const { drainDelayMs, shutdownTimeoutMs } = this.#environment;
    const connections = this.app.get(Connections);
    this.app.get(Reloads).close();
    await this.#cluster?.close();
    connections.depart(drainDelayMs);
    this.app.get(ClientListeners).announce();
    this.app.get(Draining).active = true;
    if (drainDelayMs > 0) await sleep(drainDelayMs);
    const cutOff = setTimeout(() => this.cutOff(), shutdownTimeoutMs);
    await connections.told();
    connections.endUnused();
    await this.app.close();
    clearTimeout(cutOff);
    await this.app.get(AdminListener).close();
    await this.app.get(Tracer).close(LAST_SPANS_MS);
    // What the last exchanges and orders were denied is part of it.
    await this.app.get(AuditTrail).close();
  }

  /** Ends all exchanges that are still under way. */
  cutOff(): void {
    this.app.get(Draining).isCutOff = true;
    this.app.get(Connections).cutOff();
  }
}

/**
 * Builds a gateway; nothing listens yet. A team's repository calls it with its own modules, of which the configuration
 * switches on those that it names.
 *
 * @throws {ConfigError} with the faults of modules and routes, and then with whatever else keeps the gateway from starting.
 */
export async function createGateway(given: GatewayOptions): Promise<Gateway> {
  const options = { ...given, source: await startable(given) };
  for (const secret of secretsOf(options.environment)) learnSecret(secret);
  const { logger = createLogger(options.environment.logLevel) } = options;
  if (!options.environment.composesHeads) disableComposedAnswers();
  else if (!enableComposedAnswers())
    logger.warn('this Node writes answers in another way: its own heads are used');
  const root = await AppModule.forRoot({ ...options, logger });
  const adapter = gatewayAdapter(fastifyOptions(logger, options.source.value.identity?.tokens.maxSize));
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, {
    logger: new NestLogger(logger),
    abortOnError: false,
  });
  const gateway = new Gateway(app, options.environment, options.worker !== undefined);
  // Goes on to its end, so that what is wrong with the code is told together with what is wrong with the file.
  if (app.get(BootFaults).any) await gateway.init();
  return gateway;
}

/** The configuration, or what is left of it without files of teams that have faults, where it says that these may be left out. */
async function startable(options: GatewayOptions): Promise<GatewaySource> {
  const { source, dryRun = false, adapt, environment } = options;
  const mayLeave = source.value.include?.some(({ onFault }) => onFault === 'leaveOut') === true;
  if (dryRun || !mayLeave || source.teams === undefined) return source;
  // Tried beforehand: an application that could not be put together is not put together again.
  const logger = createLogger('silent');
  const tried = { ...options, environment: { ...environment, redisUrl: undefined }, logger, dryRun: true };
  try {
    const gateway = await createGateway({ ...tried, worker: undefined });
    await gateway.init();
    await gateway.app.close();
    return source;
  } catch (error) {
    const left = error instanceof ConfigError ? source.teams.without(error.faults) : undefined;
    // What else keeps it from starting is told by the start.
    if (left === undefined) return source;
    return startable({ ...options, source: adapt?.(left) ?? left });
  }
}

/** Loads the code that only some gateways need, for a process that will soon have one. */
export async function preload(): Promise<void> {
  await import('./bff/bff.module.ts');
}

function secretsOf({ redisUrl, redisAccess, otel }: Environment): readonly (string | undefined)[] {
  const ofUrl = redisUrl === undefined ? undefined : redisPlaceOf(redisUrl).password;
  const shown = Object.values(otel?.headers ?? {});
  return [ofUrl, redisAccess?.password, redisAccess?.sentinelPassword, ...shown];
}

/** Runs a gateway until the process is told to stop; the second signal does not wait. */
export async function runGateway(options: GatewayOptions): Promise<Gateway> {
  const { environment, logger = createLogger(environment.logLevel) } = options;
  const gateway = await createGateway({ ...options, logger });
  const life = new ProcessLife(gateway, { environment, logger });
  life.attach();
  try {
    await gateway.listen();
    if (environment.watchesConfig) gateway.watch();
  } catch (error) {
    life.detach();
    throw error;
  }
  return gateway;
}

/** Runs a gateway as one of several that share their listeners, until the primary or a signal tells it to stop. */
export async function runWorker(options: GatewayOptions, seat: WorkerSeat): Promise<Gateway> {
  const { environment, logger = createLogger(environment.logLevel) } = options;
  const gateway = await createGateway({
    ...options,
    logger,
    worker: { ...seat.beginning, restart: seat.restart, config: seat.config },
  });
  const served = {
    reload: async () => undefined,
    close: () => gateway.close().then(() => seat.end()),
    cutOff: () => gateway.cutOff(),
    failing: () => seat.failing(),
  };
  const life = new ProcessLife(served, { environment, logger, isOrdered: true });
  life.attach();
  seat.attach(gateway.app, life);
  await gateway.listen(() => seat.prepared());
  await seat.listening(gateway.urls);
  return gateway;
}
