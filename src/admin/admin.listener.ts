import { Inject, Injectable } from '@nestjs/common';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Environment } from '../config/env.schema.ts';
import { ENVIRONMENT } from '../config/tokens.ts';
import { Reloads } from '../snapshot/reloads.ts';
import { Snapshots } from '../snapshot/snapshots.ts';
import { Metrics } from '../telemetry/metrics.ts';
import type { StreamHub } from '../traffic/stream/stream-hub.ts';
import { describeUpstreams } from '../upstreams/health/health-view.ts';
import { auditOrders } from './audited-orders.ts';
import { AdminOrders } from './admin-orders.ts';
import { INDEX_HEADERS, indexPage, indexText } from './admin-index.ts';
import { BREAKER_PATH, takeOrder } from './breaker-orders.ts';
import { serveCache } from './cache-orders.ts';
import { describeConfig } from './config-listing.ts';
import { serveRollouts } from './canary-listing.ts';
import { installExplain } from './explain-page.ts';
import { serveKeys } from './key-orders.ts';
import { serveLogLevel } from './log-level-orders.ts';
import { serveQuotas } from './quota-orders.ts';
import { serveRevocations } from './revocation-orders.ts';
import { serveRecording } from './record-orders.ts';
import { refusePages } from './refuse-pages.ts';
import { relayed, type RelayedAnswer, type RelayedRequest } from './relayed-requests.ts';
import { serveMetrics } from './metrics-page.ts';
import { describeRoutes } from './route-listing.ts';
import { serveTiers } from './tier-orders.ts';
import { serveTraffic } from './traffic-pages.ts';
import { serveWorkers } from './worker-orders.ts';

/** What operators see, on a listener of its own: nothing here is reachable through the clients' port. */
@Injectable()
export class AdminListener {
  readonly #server: FastifyInstance;
  readonly #streams: StreamHub | undefined;

  constructor(
    @Inject(ENVIRONMENT) private readonly environment: Environment,
    metrics: Metrics,
    snapshots: Snapshots,
    reloads: Reloads,
    orders: AdminOrders,
  ) {
    this.#server = fastify({ logger: false, forceCloseConnections: true });
    auditOrders(this.#server, orders.audit);
    this.#server.addHook('onRequest', refusePages);
    this.#server.addHook('onRequest', noteReach);
    serveMetrics(this.#server, metrics);
    this.#server.get('/routes', () =>
      describeRoutes(
        snapshots.current.table.routes,
        snapshots.current.upstreams,
        snapshots.current.source.value,
      ),
    );
    this.#server.get('/discovery', () => snapshots.current.upstreams.discovered);
    installExplain(this.#server, snapshots);
    this.#server.get('/upstreams', () => describeUpstreams(snapshots.current.upstreams.all()));
    // Each process has breakers of its own.
    this.#server.put(BREAKER_PATH, { config: { reach: 'all' } }, takeOrder(snapshots));
    this.#server.get('/config', () => describeConfig(snapshots, reloads));
    serveRollouts(this.#server, orders.rollouts);
    serveKeys(this.#server, orders);
    serveRevocations(this.#server, orders);
    serveQuotas(this.#server, snapshots, orders);
    serveTiers(this.#server, snapshots, orders);
    serveWorkers(this.#server, orders);
    serveCache(this.#server, orders);
    serveRecording(this.#server, snapshots, orders);
    serveLogLevel(this.#server, orders);
    this.#streams = serveTraffic(this.#server, orders.traffic, { metrics, snapshots, reloads });
    this.#server.get('/', (request, reply) => sendIndex(request, reply, 200));
    this.#server.setErrorHandler(tellFault);
    // Whoever is lost is told where there is something.
    this.#server.setNotFoundHandler((request, reply) => sendIndex(request, reply, 404));
  }

  /** Starts to listen; returns the address. */
  listen(): Promise<string> {
    return this.#server.listen({ port: this.environment.adminPort, host: this.environment.adminHost });
  }

  /** Answers a request that another process has taken. */
  async answer(request: RelayedRequest): Promise<RelayedAnswer> {
    const { method, url, headers, body, address, localAddress, isEcho, worker } = request;
    const store = { localAddress, isEcho, worker, reach: 'one' as const };
    const asked = { method: method as 'GET', url, headers, payload: body, remoteAddress: address };
    const { statusCode, rawPayload, ...answer } = await relayed.run(store, () => this.#server.inject(asked));
    return { status: statusCode, headers: answer.headers, body: rawPayload, reach: store.reach };
  }

  /** Stops listening and cuts open connections. */
  async close(): Promise<void> {
    this.#streams?.close();
    await this.#server.close();
  }
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

function sendIndex({ headers }: FastifyRequest, reply: FastifyReply, status: number): FastifyReply {
  const isBrowser = headers.accept?.includes('text/html') === true;
  return reply
    .code(status)
    .headers(INDEX_HEADERS)
    .type(isBrowser ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8')
    .send(isBrowser ? indexPage() : indexText());
}
