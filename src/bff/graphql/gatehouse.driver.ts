import { Inject, Injectable, Optional, type Type } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { AbstractGraphQLDriver } from '@nestjs/graphql';
import type { FastifyInstance } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import { GATEWAY_SOURCE, SHARED_TEXTS } from '../../config/tokens.ts';
import { mergedBody } from '../../exchange/merged-body.ts';
import { STAGE_FACTORIES, type StageFactory } from '../../policies/stage.ts';
import type { Route } from '../../routing/route.ts';
import { RouteTable } from '../../routing/route-table.ts';
import type { GatewaySource } from '../../routing/table-builder.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { alignEngines } from './align-engines.ts';
import { ignoreDiscardedErrors } from './discarded-errors.ts';
import { Documents } from './documents.ts';
import { markPlaces } from './field-places.ts';
import { FieldPolicies } from './field-policies.ts';
import { GraphiqlPage } from './graphiql-page.ts';
import { GraphqlDoor, type LiveDoors } from './graphql-door.ts';
import { GraphqlSocketServer } from './graphql-socket.ts';
import { GraphqlStreams } from './graphql-streams.ts';
import { GraphqlUpgrades } from './graphql-upgrades.ts';
import { OperationRunner } from './operation-runner.ts';
import {
  configuredOptions,
  GRAPHQL_DEFAULTS,
  GRAPHQL_PATH,
  SUBSCRIPTION_DEFAULTS,
  type GraphqlLimits,
  type GraphqlOptions,
} from './graphql.options.ts';
import { GRAPHQL_ROUTE_ID } from './graphql.route.ts';
import { guardLists } from './list-guard.ts';
import { OperationFinder } from './operation-finder.ts';
import { OperationMeters } from './operation-meters.ts';
import { PersistedQueries, type TextStore } from './persisted-queries.ts';
import { readTrustedDocuments } from './trusted-documents.ts';

const DRAIN_MS = 2000;

type StartOptions = GraphqlOptions & GraphqlLimits & { schema?: GraphQLSchema };

/** What the driver needs from other rooms. */
@Injectable()
export class DriverParts {
  constructor(
    readonly routes: RouteTable,
    readonly discovery: DiscoveryService,
    @Inject(GATEWAY_SOURCE) readonly source: GatewaySource,
    @Inject(STAGE_FACTORIES) readonly factories: readonly StageFactory[],
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
   * @throws {Error} when the route table has no route for GraphQL: without its policies the door stays shut; when
   * a policy of a field cannot work, when a list would make a call per element, and when a trusted document does not fit the schema.
   */
  override async start(options: StartOptions): Promise<void> {
    const { routes, factories, texts } = this.parts;
    const { schema } = options;
    const route = routes.byId(GRAPHQL_ROUTE_ID);
    if (route === undefined) {
      throw new Error(
        `there is no route "${GRAPHQL_ROUTE_ID}"; add graphqlRoute() to the definitions of RoutingModule`,
      );
    }
    if (schema === undefined) throw new Error('the GraphQL schema is empty; import a module with a resolver');
    const resolvers = this.#resolvers();
    guardLists(schema, resolvers, !options.production);
    const policies = new FieldPolicies(schema, resolvers, route, factories);
    if (options.plan !== undefined) markPlaces(schema);
    alignEngines(schema);
    const meters = new OperationMeters(this.metrics, options.metrics?.operations);
    const documents = new Documents(schema, options, policies, meters);
    if (options.trustedDocuments !== undefined)
      documents.trust(await readTrustedDocuments(options.trustedDocuments.path));
    const finder = new OperationFinder(documents, options, new PersistedQueries(texts));
    this.#listening = ignoreDiscardedErrors();
    const server = this.httpAdapterHost.httpAdapter.getInstance<FastifyInstance>();
    const live = (this.#live = liveDoors({ server, route, schema, finder, options }));
    const door = new GraphqlDoor(route, finder, options, live);
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

  #resolvers(): readonly Type[] {
    return this.parts.discovery
      .getProviders()
      .flatMap(({ metatype }) => (isClass(metatype) ? [metatype] : []));
  }
}

interface LiveParts {
  readonly server: FastifyInstance;
  readonly route: Route;
  readonly schema: GraphQLSchema;
  readonly finder: OperationFinder;
  readonly options: GraphqlLimits;
}

// A schema without subscriptions has nothing to send: absent doors cost nothing and cannot be attacked.
function liveDoors({ server, route, schema, finder, options }: LiveParts): LiveDoors | undefined {
  if (!schema.getSubscriptionType()) return undefined;
  const given = options.subscriptions ?? {};
  const perSocket = given.perSocket ?? SUBSCRIPTION_DEFAULTS.perSocket;
  const sockets = given.sockets ?? SUBSCRIPTION_DEFAULTS.sockets;
  const messageSize = given.messageSize ?? SUBSCRIPTION_DEFAULTS.messageSize;
  const idle = given.idle ?? SUBSCRIPTION_DEFAULTS.idle;
  const maxAge = given.maxAge ?? SUBSCRIPTION_DEFAULTS.maxAge;
  const origins = given.origins ?? SUBSCRIPTION_DEFAULTS.origins;
  const runner = new OperationRunner(route, finder, options);
  const limits = { perSocket, idleMs: idle, maxAgeMs: maxAge };
  const socketServer = new GraphqlSocketServer(route, schema, runner, limits);
  const streams = new GraphqlStreams(runner, { sockets, perSocket, maxAgeMs: maxAge });
  finder.meters.watchStreams(() => streams.size);
  return {
    upgrades: new GraphqlUpgrades(server, route.match.path, socketServer, {
      sockets,
      messageBytes: messageSize,
      origins,
    }),
    streams,
  };
}

function isClass(metatype: unknown): metatype is Type {
  return (
    typeof metatype === 'function' && typeof metatype.prototype === 'object' && metatype.prototype !== null
  );
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
