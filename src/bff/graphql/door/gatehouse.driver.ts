import { Inject, Injectable, Optional } from '@nestjs/common';
import { AbstractGraphQLDriver } from '@nestjs/graphql';
import type { FastifyInstance } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import type { ConfigFault } from '../../../config/config-fault.ts';
import type { Environment } from '../../../config/env.schema.ts';
import { ENVIRONMENT, SHARED_TEXTS } from '../../../config/tokens.ts';
import { withoutMark } from '../../../exchange/json-bytes.ts';
import { mergedBody } from '../../../exchange/merged-body.ts';
import { RATE_LIMITER, type RateLimiter } from '../../../policies/rate-limit/rate-limiter.ts';
import { MemoryTokenBucket } from '../../../policies/rate-limit/token-bucket.memory.ts';
import type { Route } from '../../../routing/route.ts';
import type { Snapshot } from '../../../snapshot/snapshot.ts';
import { Snapshots } from '../../../snapshot/snapshots.ts';
import { Metrics } from '../../../telemetry/metrics.ts';
import { alignEngines } from '../execution/align-engines.ts';
import { ignoreDiscardedErrors } from '../execution/discarded-errors.ts';
import { Documents } from '../documents/documents.ts';
import { markPlaces } from '../execution/field-places.ts';
import type { FieldPolicies } from '../fields/field-policies.ts';
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
import { GRAPHQL_ROUTE_ID, type RouteOf } from './graphql.route.ts';
import { OperationFinder } from '../documents/operation-finder.ts';
import { OperationMeters } from '../execution/operation-meters.ts';
import { PersistedQueries, type TextStore } from '../documents/persisted-queries.ts';
import { SchemaGuard } from '../fields/schema-guard.ts';
import { schemaOf } from '../fields/type-namesakes.ts';
import { readTrustedDocuments } from '../documents/trusted-documents.ts';

const DRAIN_MS = 2000;

type StartOptions = GraphqlOptions & GraphqlLimits & { schema?: GraphQLSchema };

/** What the driver needs from other rooms. */
@Injectable()
export class DriverDeps {
  @Optional() @Inject(RATE_LIMITER) readonly limiter: RateLimiter | undefined;
  @Optional() @Inject(ENVIRONMENT) private readonly environment: Pick<Environment, 'otel'> | undefined;

  constructor(
    readonly snapshots: Snapshots,
    readonly guard: SchemaGuard,
    @Optional() @Inject(SHARED_TEXTS) readonly texts: TextStore | undefined,
  ) {}

  /** Whether there are spans of operations. */
  get isTraced(): boolean {
    return this.environment?.otel !== undefined;
  }
}

/** Serves the code-first schema of Nest over Fastify: graphql-http for the protocol, graphql-jit to execute. */
@Injectable()
export class GatehouseDriver extends AbstractGraphQLDriver<GraphqlOptions> {
  #live: LiveDoors | undefined = undefined;
  #listening: (() => void) | undefined = undefined;

  constructor(
    private readonly deps: DriverDeps,
    private readonly metrics: Metrics,
  ) {
    super();
  }

  override mergeDefaultOptions(options: GraphqlOptions): Promise<GraphqlOptions> {
    const { policies: _policies, ...graphql } = this.deps.snapshots.current.source.value.graphql;
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

  /** Tells of all types that share a name; nothing starts then. */
  override generateSchema(options: GraphqlOptions): Promise<GraphQLSchema> {
    const make = (): Promise<GraphQLSchema> =>
      super.generateSchema(options) ?? Promise.reject(new Error('there is no GraphQL schema'));
    return schemaOf(make, (faults) => this.deps.guard.tell(faults));
  }

  /**
   * Stays shut where a policy of a field cannot work, a list would make a call per element, or a call cannot be made; the
   * gateway does not start then.
   *
   * @throws {Error} when the route table has no route for GraphQL, without whose policies the door stays shut, and when a
   * trusted document does not fit the schema.
   */
  override async start(options: StartOptions): Promise<void> {
    const { snapshots, guard } = this.deps;
    const { schema } = options;
    const route = snapshots.current.table.byId(GRAPHQL_ROUTE_ID);
    if (route === undefined) {
      // One whose policies are at fault is in no table, and that has been told.
      guard.refuse();
      throw new Error(
        `there is no route "${GRAPHQL_ROUTE_ID}"; add graphqlRoute() to the definitions of SnapshotModule`,
      );
    }
    const fault = doorFault(route);
    if (fault !== undefined) throw new Error(fault);
    if (schema === undefined) throw new Error('the GraphQL schema is empty; import a module with a resolver');
    const policies = guard.enforce(schema, route, options);
    if (policies === undefined) return;
    snapshots.check((candidate) => this.#faultsOf(candidate, policies));
    const routeOf: RouteOf = (exchange) => snapshots.for(exchange).table.byId(GRAPHQL_ROUTE_ID) as Route;
    if (options.plan !== undefined || this.deps.isTraced) markPlaces(schema);
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
    const live = (this.#live = liveDoors({ server, routeOf, schema, runner, answers, options }));
    const door = new GraphqlDoor(routeOf, runner, answers, live);
    // Not awaited: it loads when the server gets ready, and then inherits the hooks that were added until then.
    void server.register((scope, _options, done) => {
      mount(scope, GRAPHQL_PATH, door, {
        bodyLimit: options.maxBodyBytes,
        isLive: live !== undefined,
        // Fails closed: production has no page, whatever the configuration says.
        page: options.graphiql && !options.production ? new GraphiqlPage(routeOf) : undefined,
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

  // What fields ask for is compiled once: it must go with whatever door a reload makes.
  #faultsOf({ source, table }: Snapshot, policies: FieldPolicies): readonly ConfigFault[] {
    const route = table.byId(GRAPHQL_ROUTE_ID) as Route;
    const own = doorFault(route);
    const { file, ...at } = { file: source.document.file, ...source.document.locate(['graphql']) };
    return [
      ...(own === undefined ? [] : [own]),
      ...policies.faultsOf(route),
      ...this.deps.guard.callFaults(source),
    ].map((message) => ({ file, ...at, key: 'graphql', message }));
  }

  // Without a limiter that all replicas share, each of them counts for itself.
  #persisted(): PersistedQueries {
    const { texts: store, limiter = new MemoryTokenBucket() } = this.deps;
    return new PersistedQueries(store && { store, limiter });
  }
}

// Fails closed: an alias would carry a masked field past it.
function doorFault(route: Route): string | undefined {
  return route.incoming.length > 0 || route.leaving.some((stage) => stage.body !== undefined)
    ? 'graphql.policies.transform: `maskFields` does not work on GraphQL, and neither do `body` and `template`; use @Mask() on fields, and `transform: off` for the door'
    : undefined;
}

interface LiveDeps {
  readonly server: FastifyInstance;
  readonly routeOf: RouteOf;
  readonly schema: GraphQLSchema;
  readonly runner: OperationRunner;
  readonly answers: HttpAnswers;
  readonly options: GraphqlLimits;
}

// A schema without subscriptions has nothing to send: absent doors cost nothing and cannot be attacked.
function liveDoors({ server, routeOf, schema, runner, answers, options }: LiveDeps): LiveDoors | undefined {
  if (!schema.getSubscriptionType()) return undefined;
  const given = options.subscriptions ?? {};
  const perSocket = given.perSocket ?? SUBSCRIPTION_DEFAULTS.perSocket;
  const sockets = given.sockets ?? SUBSCRIPTION_DEFAULTS.sockets;
  const messageSize = given.messageSize ?? SUBSCRIPTION_DEFAULTS.messageSize;
  const idle = given.idle ?? SUBSCRIPTION_DEFAULTS.idle;
  const maxAge = given.maxAge ?? SUBSCRIPTION_DEFAULTS.maxAge;
  const origins = given.origins ?? SUBSCRIPTION_DEFAULTS.origins;
  const operations = new LiveOperations(routeOf, runner, perSocket);
  const times = { idleMs: idle, maxAgeMs: maxAge, stalledMs: idle };
  const socketServer = new GraphqlSocketServer(routeOf, schema, operations, times);
  const streams = new GraphqlStreams({ operations, runner, answers }, { sockets, maxAgeMs: maxAge });
  runner.meters.watchStreams(() => streams.size);
  return {
    upgrades: new GraphqlUpgrades(server, GRAPHQL_PATH, socketServer, {
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
    (_request, body, done) => done(null, withoutMark(body as string)),
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
