import { Inject, Injectable, Optional } from '@nestjs/common';
import { AbstractGraphQLDriver } from '@nestjs/graphql';
import type { FastifyInstance } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import { GATEWAY_SOURCE, SHARED_TEXTS } from '../../../config/tokens.ts';
import { mergedBody } from '../../../exchange/merged-body.ts';
import { RATE_LIMITER, type RateLimiter } from '../../../policies/rate-limit/rate-limiter.ts';
import { MemoryTokenBucket } from '../../../policies/rate-limit/token-bucket.memory.ts';
import type { Route } from '../../../routing/route.ts';
import { RouteTable } from '../../../routing/route-table.ts';
import type { GatewaySource } from '../../../routing/table-builder.ts';
import { Metrics } from '../../../telemetry/metrics.ts';
import { alignEngines } from '../execution/align-engines.ts';
import { ignoreDiscardedErrors } from '../execution/discarded-errors.ts';
import { Documents } from '../documents/documents.ts';
import { markPlaces } from '../execution/field-places.ts';
import { GraphiqlPage } from './graphiql-page.ts';
import { GraphqlDoor, type LiveDoors } from './graphql-door.ts';
import { GraphqlSocketServer } from '../live/graphql-socket.ts';
import { GraphqlStreams } from '../live/graphql-streams.ts';
import { GraphqlUpgrades } from '../live/graphql-upgrades.ts';
import { HttpAnswers } from './http-answers.ts';
import { LiveOperations } from '../live/live-operations.ts';
import { OperationRunner } from '../execution/operation-runner.ts';
import {
  configuredOptions,
  GRAPHQL_DEFAULTS,
  GRAPHQL_PATH,
  SUBSCRIPTION_DEFAULTS,
  type GraphqlLimits,
  type GraphqlOptions,
} from './graphql.options.ts';
import { GRAPHQL_ROUTE_ID } from './graphql.route.ts';
import { OperationFinder } from '../documents/operation-finder.ts';
import { OperationMeters } from '../execution/operation-meters.ts';
import { PersistedQueries, type TextStore } from '../documents/persisted-queries.ts';
import { SchemaGuard } from '../fields/schema-guard.ts';
import { readTrustedDocuments } from '../documents/trusted-documents.ts';

const DRAIN_MS = 2000;

type StartOptions = GraphqlOptions & GraphqlLimits & { schema?: GraphQLSchema };

/** What the driver needs from other rooms. */
@Injectable()
export class DriverParts {
  @Optional() @Inject(RATE_LIMITER) readonly limiter: RateLimiter | undefined;

  constructor(
    readonly routes: RouteTable,
    @Inject(GATEWAY_SOURCE) readonly source: GatewaySource,
    readonly guard: SchemaGuard,
    @Optional() @Inject(SHARED_TEXTS) readonly texts: TextStore | undefined,
  ) {}
}

/** Serves the code-first schema of Nest over Fastify: graphql-http for the protocol, graphql-jit to execute. */
@Injectable()
export class GatehouseDriver extends AbstractGraphQLDriver<GraphqlOptions> {
  #live: LiveDoors | undefined = undefined;
  #listening: (() => void) | undefined = undefined;

  constructor(
    private readonly parts: DriverParts,
    private readonly metrics: Metrics,
  ) {
    super();
  }

  override mergeDefaultOptions(options: GraphqlOptions): Promise<GraphqlOptions> {
    const { policies: _policies, ...graphql } = this.parts.source.value.graphql;
    const configured = configuredOptions(graphql);
    const defaults = {
      ...GRAPHQL_DEFAULTS,
      ...configured,
      path: GRAPHQL_PATH,
      autoSchemaFile: true,
      // Field resolvers stay on Nest's fast path: no guards, filters or interceptors per field.
      fieldResolverEnhancers: [],
      production: process.env['NODE_ENV'] === 'production',
    };
    return super.mergeDefaultOptions(options, defaults);
  }

  /**
   * Stays shut where a policy of a field cannot work, a list would make a call per element, or a call cannot be made; the
   * gateway does not start then.
   *
   * @throws {Error} when the route table has no route for GraphQL, without whose policies the door stays shut, and when a
   * trusted document does not fit the schema.
   */
  override async start(options: StartOptions): Promise<void> {
    const { routes, guard } = this.parts;
    const { schema } = options;
    const route = routes.byId(GRAPHQL_ROUTE_ID);
    if (route === undefined) {
      throw new Error(
        `there is no route "${GRAPHQL_ROUTE_ID}"; add graphqlRoute() to the definitions of RoutingModule`,
      );
    }
    // Fails closed: an alias would carry a masked field past it.
    if (route.leaving.some((stage) => stage.body !== undefined)) {
      throw new Error(
        'graphql.policies.transform: `maskFields` does not work on GraphQL; use @Mask() on fields, and `transform: off` for the door',
      );
    }
    if (schema === undefined) throw new Error('the GraphQL schema is empty; import a module with a resolver');
    const policies = guard.enforce(schema, route, options);
    if (policies === undefined) return;
    if (options.plan !== undefined) markPlaces(schema);
    alignEngines(schema);
    const meters = new OperationMeters(this.metrics, options.metrics?.operations);
    const documents = new Documents(schema, options, policies, meters);
    if (options.trustedDocuments !== undefined)
      documents.trust(await readTrustedDocuments(options.trustedDocuments.path));
    const finder = new OperationFinder(documents, options, this.#persisted());
    this.#listening = ignoreDiscardedErrors();
    const server = this.httpAdapterHost.httpAdapter.getInstance<FastifyInstance>();
    const runner = new OperationRunner(finder, options);
    const answers = new HttpAnswers(options);
    const live = (this.#live = liveDoors({ server, route, schema, runner, answers, options }));
    const door = new GraphqlDoor(route, runner, answers, live);
    // Not awaited: it loads when the server gets ready, and then inherits the hooks that were added until then.
    void server.register((scope, _options, done) => {
      mount(scope, route.match.path, door, {
        bodyLimit: options.maxBodyBytes,
        isLive: live !== undefined,
        // Fails closed: production has no page, whatever the configuration says.
        page: options.graphiql && !options.production ? new GraphiqlPage(route) : undefined,
      });
      done();
    });
  }

  /** Sends the clients of subscriptions away over two seconds, so that they do not all come back at once. */
  override async stop(): Promise<void> {
    await Promise.all([this.#live?.upgrades.drain(DRAIN_MS), this.#live?.streams.drain(DRAIN_MS)]);
    this.#listening?.();
    this.#listening = undefined;
  }

  // Without a limiter that all replicas share, each of them counts for itself.
  #persisted(): PersistedQueries {
    const { texts: store, limiter = new MemoryTokenBucket() } = this.parts;
    return new PersistedQueries(store && { store, limiter });
  }
}

interface LiveParts {
  readonly server: FastifyInstance;
  readonly route: Route;
  readonly schema: GraphQLSchema;
  readonly runner: OperationRunner;
  readonly answers: HttpAnswers;
  readonly options: GraphqlLimits;
}

// A schema without subscriptions has nothing to send: absent doors cost nothing and cannot be attacked.
function liveDoors({ server, route, schema, runner, answers, options }: LiveParts): LiveDoors | undefined {
  if (!schema.getSubscriptionType()) return undefined;
  const given = options.subscriptions ?? {};
  const perSocket = given.perSocket ?? SUBSCRIPTION_DEFAULTS.perSocket;
  const sockets = given.sockets ?? SUBSCRIPTION_DEFAULTS.sockets;
  const messageSize = given.messageSize ?? SUBSCRIPTION_DEFAULTS.messageSize;
  const idle = given.idle ?? SUBSCRIPTION_DEFAULTS.idle;
  const maxAge = given.maxAge ?? SUBSCRIPTION_DEFAULTS.maxAge;
  const origins = given.origins ?? SUBSCRIPTION_DEFAULTS.origins;
  const operations = new LiveOperations(route, runner, perSocket);
  const times = { idleMs: idle, maxAgeMs: maxAge, stalledMs: idle };
  const socketServer = new GraphqlSocketServer(route, schema, operations, times);
  const streams = new GraphqlStreams({ operations, runner, answers }, { sockets, maxAgeMs: maxAge });
  runner.meters.watchStreams(() => streams.size);
  return {
    upgrades: new GraphqlUpgrades(server, route.match.path, socketServer, {
      sockets,
      unidentified: given.unidentified?.sockets ?? SUBSCRIPTION_DEFAULTS.unidentified.sockets,
      perAddress: given.unidentified?.perAddress ?? SUBSCRIPTION_DEFAULTS.unidentified.perAddress,
      messageBytes: messageSize,
      origins,
    }),
    streams,
  };
}

interface MountOptions {
  readonly bodyLimit: number;
  readonly isLive: boolean;
  /** What browsers see; absent, it costs nothing. */
  readonly page: GraphiqlPage | undefined;
}

function mount(
  scope: FastifyInstance,
  url: string,
  door: GraphqlDoor,
  { bodyLimit, isLive, page }: MountOptions,
): void {
  scope.removeAllContentTypeParsers();
  // By its name first, because a parser for everything is looked up more slowly; the door itself refuses the rest.
  scope.addContentTypeParser(
    ['application/json', '*'],
    { parseAs: 'string', bodyLimit },
    (_request, body, done) => done(null, body),
  );
  scope.route({
    // PUT and DELETE keep the streams of clients with a single connection (GraphQL over Server-Sent Events).
    method: isLive ? ['GET', 'POST', 'PUT', 'DELETE'] : ['GET', 'POST'],
    url,
    bodyLimit,
    config: { admitsItself: true },
    onRequest: page === undefined ? door.enter : [page.enter, door.enter],
    preParsing: mergedBody,
    handler: door.handle,
  });
}
