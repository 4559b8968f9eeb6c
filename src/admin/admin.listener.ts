import { Inject, Injectable } from '@nestjs/common';
import { fastify, type FastifyInstance } from 'fastify';
import type { Environment } from '../config/env.schema.ts';
import { ENVIRONMENT } from '../config/tokens.ts';
import { RouteTable } from '../routing/route-table.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { describeRoutes } from './route-listing.ts';

/** What operators see, on a listener of its own: nothing here is reachable through the clients' port. */
@Injectable()
export class AdminListener {
  readonly #server: FastifyInstance;

  constructor(
    @Inject(ENVIRONMENT) private readonly environment: Environment,
    metrics: Metrics,
    table: RouteTable,
  ) {
    this.#server = fastify({ logger: false, forceCloseConnections: true });
    this.#server.get('/metrics', async (_request, reply) => {
      await reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
    });
    this.#server.get('/routes', () => describeRoutes(table.routes));
  }

  /** Starts to listen; returns the address. */
  listen(): Promise<string> {
    return this.#server.listen({ port: this.environment.adminPort, host: this.environment.adminHost });
  }

  /** Stops listening and cuts open connections. */
  async close(): Promise<void> {
    await this.#server.close();
  }
}
