import { Inject, Injectable } from '@nestjs/common';
import { Server as SecureServer } from 'node:https';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Environment } from '../config/env.schema.ts';
import { ENVIRONMENT } from '../config/tokens.ts';
import { OwnConfigDesk } from '../snapshot/config-desk.ts';
import { leadToConsole, serveConsole } from '../console/console-pages.ts';
import { readConsoleSite } from '../console/console-site.ts';
import { Reloads } from '../snapshot/reloads.ts';
import { Snapshots } from '../snapshot/snapshots.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import type { StreamHub } from '../traffic/stream/stream-hub.ts';
import { describeUpstreams } from '../upstreams/health/health-view.ts';
import { keepTargetsFrom } from '../upstreams/transport/operators-places.ts';
import { AdminAccess } from './access/admin-access.ts';
import { boundConnections, SERVER_OPTIONS } from './access/connection-bounds.ts';
import { guardOperations } from './access/guard.ts';
import { auditOrders } from './audited-orders.ts';
import { AdminOrders } from './admin-orders.ts';
import { guardAnswers } from './answer-fields.ts';
import { INDEX_HEADERS, indexPage, indexText } from './admin-index.ts';
import { serveBreakers } from './breaker-orders.ts';
import { serveCache } from './cache-orders.ts';
import { serveBundle } from './bundle-page.ts';
import { serveChanges } from './changes-page.ts';
import { serveCluster } from './cluster-pages.ts';
import { serveConfigOrders } from './config-orders.ts';
import { serveConfigPages } from './config-pages.ts';
import { serveRollouts } from './canary-listing.ts';
import { installExplain } from './explain-page.ts';
import { serveKeys } from './key-orders.ts';
import { serveLogLevel } from './log-level-orders.ts';
import { serveQuotas } from './quota-orders.ts';
import { serveRevocations } from './revocation-orders.ts';
import { serveRecording } from './record-orders.ts';
import { relayed, type RelayedAnswer, type RelayedRequest } from './relayed-requests.ts';
import { serveMetrics } from './metrics-page.ts';
import { serveContract, type AdminOperation } from './openapi.ts';
import { operation } from './operation.ts';
import { describeRoutes, serveRoute } from './route-listing.ts';
import { serveSessions } from './session-pages.ts';
import { serveTargetOrders } from './target-orders.ts';
import { serveTiers } from './tier-orders.ts';
import { serveTraffic } from './traffic-pages.ts';
import { serveWorkers } from './worker-orders.ts';

/** What operators see, on a listener of its own: nothing here is reachable through the clients' port. */
@Injectable()
export class AdminListener {
  readonly #server: FastifyInstance;
  readonly #access: AdminAccess;
  readonly #logger: Logger;
  /** All that the listener offers. */
  readonly operations: readonly AdminOperation[];
  readonly #streams: StreamHub | undefined;
  #freePlace: (() => void) | undefined = undefined;

  constructor(
    @Inject(ENVIRONMENT) private readonly environment: Environment,
    metrics: Metrics,
    snapshots: Snapshots,
    reloads: Reloads,
    orders: AdminOrders,
  ) {
    this.#logger = orders.logger;
    // A worker answers what the process has taken and judged that has started it.
    const isWorker = orders.restart !== undefined;
    this.#access = isWorker
      ? AdminAccess.elsewhere(environment)
      : new AdminAccess(environment, orders.logger);
    if (!isWorker) metrics.admin.shows(() => this.#access.state);
    // It listens elsewhere, and is as near from here.
    else this.#freePlace = keepTargetsFrom({ host: environment.adminHost, port: environment.adminPort });
    this.#server = createServer(this.#access);
    this.operations = serveContract(this.#server);
    guardAnswers(this.#server);
    auditOrders(this.#server, orders.audit);
    guardOperations(this.#server, this.#access, metrics);
    this.#server.addHook('onRequest', noteReach);
    serveSessions(this.#server, this.#access, metrics);
    serveMetrics(this.#server, metrics);
    serveListings(this.#server, snapshots);
    installExplain(this.#server, snapshots);
    serveBreakers(this.#server, { snapshots, metrics, rollouts: orders.rollouts });
    serveTargetOrders(this.#server, { snapshots, metrics, rollouts: orders.rollouts });
    const desk = orders.config ?? new OwnConfigDesk(reloads);
    serveConfigPages(this.#server, { desk, snapshots, reloads });
    serveConfigOrders(this.#server, { desk, reloads });
    serveCluster(this.#server, reloads);
    serveChanges(this.#server, metrics.changes);
    serveBundle(this.#server, { snapshots, reloads, metrics, logger: orders.logger, desk });
    serveRollouts(this.#server, orders.rollouts);
    serveKeys(this.#server, orders);
    serveRevocations(this.#server, orders);
    serveQuotas(this.#server, snapshots, orders);
    serveTiers(this.#server, snapshots, orders);
    serveWorkers(this.#server, orders);
    serveCache(this.#server, orders);
    serveRecording(this.#server, snapshots, orders);
    serveLogLevel(this.#server, orders);
    this.#streams = serveTraffic(this.#server, orders.traffic, {
      metrics,
      snapshots,
      reloads,
      logger: orders.logger,
    });
    const hasConsole = serveConsole(this.#server, readConsoleSite());
    const index = operation('showIndex', 'anyone', {
      summary: 'What is here',
      media: 'text/plain',
      isPage: true,
    });
    this.#server.get('/', index, (request, reply) =>
      hasConsole && wantsPage(request) ? leadToConsole(reply) : sendIndex(request, reply, 200),
    );
    this.#server.setErrorHandler(tellFault);
    // Whoever is lost is told where there is something.
    this.#server.setNotFoundHandler((request, reply) => sendIndex(request, reply, 404));
  }

  /** Starts to listen; returns the address. No target may be there from then on. */
  async listen(): Promise<string> {
    const { server } = this.#server;
    const { adminPort: port, adminHost: host } = this.environment;
    this.#access.watch(this.#logger, server instanceof SecureServer ? server : undefined);
    const url = await this.#server.listen({ port, host });
    this.#freePlace = keepTargetsFrom({ host, port: Number(new URL(url).port) || port });
    return url;
  }

  /** Answers a request that another process has taken. */
  async answer(request: RelayedRequest): Promise<RelayedAnswer> {
    const { method, url, headers, body, address, ...told } = request;
    const store = { ...told, reach: 'one' as const };
    const asked = { method: method as 'GET', url, headers, payload: body, remoteAddress: address };
    // Begun within: what `inject` returns begins only when somebody waits for it.
    const inject = async () => await this.#server.inject(asked);
    const { statusCode, rawPayload, ...answer } = await relayed.run(store, inject);
    return { status: statusCode, headers: answer.headers, body: rawPayload, reach: store.reach };
  }

  /** Stops listening and cuts open connections. */
  async close(): Promise<void> {
    this.#access.unwatch();
    this.#freePlace?.();
    this.#streams?.close();
    await this.#server.close();
  }
}

function createServer(access: AdminAccess): FastifyInstance {
  const options = { logger: false, forceCloseConnections: true, frameworkErrors: tellFault } as const;
  const { serverOptions } = access;
  const server =
    serverOptions === undefined
      ? fastify({ ...options, http: SERVER_OPTIONS })
      : fastify({ ...options, https: { ...SERVER_OPTIONS, ...serverOptions } });
  boundConnections(server.server);
  // A page of another site can have a browser send it without being asked for leave.
  server.removeContentTypeParser(['text/plain', 'application/json']);
  const parse = server.getDefaultJsonParser('error', 'error');
  // An order without a body may call it JSON all the same: pages have to.
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) =>
    body === '' ? done(null, undefined) : parse(request, body as string, done),
  );
  return server as FastifyInstance;
}

function serveListings(server: FastifyInstance, snapshots: Snapshots): void {
  const page = (name: string, summary: string) => operation(name, 'read', { summary });
  server.get('/routes', page('listRoutes', 'The compiled routes of both doors'), () => {
    const { table, upstreams, source } = snapshots.current;
    return describeRoutes(table.routes, upstreams, source.value);
  });
  serveRoute(server, snapshots);
  const discovery = page('listDiscovery', 'Where targets come from, and how those sources are');
  server.get('/discovery', discovery, () => snapshots.current.upstreams.discovered);
  const upstreams = page('listUpstreams', 'The targets of all upstreams: health, breakers, history');
  server.get('/upstreams', upstreams, () => describeUpstreams(snapshots.current.upstreams));
}

/** In the form of all that is refused here; curl says that a body is a form where nobody says otherwise. */
function tellFault(
  fault: { readonly statusCode?: number; readonly message: string },
  _request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { statusCode = 500, message } = fault;
  if (statusCode >= 500) return reply.send(fault);
  const error = statusCode === 415 ? 'expected JSON, with content-type: application/json' : message;
  return reply.code(statusCode).send({ error });
}

async function noteReach({ routeOptions }: FastifyRequest): Promise<void> {
  const store = relayed.getStore();
  if (store !== undefined) store.reach = routeOptions.config.reach ?? 'one';
}

function wantsPage({ headers }: FastifyRequest): boolean {
  return headers.accept?.includes('text/html') === true;
}

function sendIndex(request: FastifyRequest, reply: FastifyReply, status: number): FastifyReply {
  const isBrowser = wantsPage(request);
  return reply
    .code(status)
    .headers(INDEX_HEADERS)
    .type(isBrowser ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8')
    .send(isBrowser ? indexPage() : indexText());
}
