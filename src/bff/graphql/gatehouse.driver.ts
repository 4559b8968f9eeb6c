import { Inject, Injectable, Optional, type Type } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { AbstractGraphQLDriver } from '@nestjs/graphql';
import type { FastifyInstance } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import { GATEWAY_SOURCE, SHARED_TEXTS } from '../../config/tokens.ts';
import { STAGE_FACTORIES, type StageFactory } from '../../policies/stage.ts';
import { RouteTable } from '../../routing/route-table.ts';
import type { GatewaySource } from '../../routing/table-builder.ts';
import { Documents } from './documents.ts';
import { FieldPolicies } from './field-policies.ts';
import { GraphqlDoor } from './graphql-door.ts';
import {
  configuredOptions,
  GRAPHQL_DEFAULTS,
  GRAPHQL_PATH,
  type GraphqlLimits,
  type GraphqlOptions,
} from './graphql.options.ts';
import { GRAPHQL_ROUTE_ID } from './graphql.route.ts';
import { OperationFinder } from './operation-finder.ts';
import { PersistedQueries, type TextStore } from './persisted-queries.ts';
import { readTrustedDocuments } from './trusted-documents.ts';

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
  constructor(private readonly parts: DriverParts) {
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
   * a policy of a field cannot work, and when a trusted document does not fit the schema.
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
    const policies = new FieldPolicies(schema, this.#resolvers(), route, factories);
    const documents = new Documents(schema, options, policies);
    if (options.trustedDocuments !== undefined)
      documents.trust(await readTrustedDocuments(options.trustedDocuments.path));
    const finder = new OperationFinder(documents, options, new PersistedQueries(texts));
    const door = new GraphqlDoor(route, finder, options);
    const server = this.httpAdapterHost.httpAdapter.getInstance<FastifyInstance>();
    // Not awaited: it loads when the server gets ready, and then inherits the hooks that were added until then.
    void server.register((scope, _options, done) => {
      mount(scope, route.match.path, door, options.maxBodyBytes);
      done();
    });
  }

  /** Holds nothing that outlives the server. */
  override stop(): Promise<void> {
    return Promise.resolve();
  }

  #resolvers(): readonly Type[] {
    return this.parts.discovery
      .getProviders()
      .flatMap(({ metatype }) => (isClass(metatype) ? [metatype] : []));
  }
}

function isClass(metatype: unknown): metatype is Type {
  return (
    typeof metatype === 'function' && typeof metatype.prototype === 'object' && metatype.prototype !== null
  );
}

function mount(scope: FastifyInstance, url: string, door: GraphqlDoor, bodyLimit: number): void {
  scope.removeAllContentTypeParsers();
  // By its name first, because a parser for everything is looked up more slowly; the door itself refuses the rest.
  scope.addContentTypeParser(
    ['application/json', '*'],
    { parseAs: 'string', bodyLimit },
    (_request, body, done) => done(null, body),
  );
  scope.route({
    method: ['GET', 'POST'],
    url,
    bodyLimit,
    onRequest: door.enter,
    handler: door.handle,
  });
}
