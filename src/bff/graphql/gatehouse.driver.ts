import { Injectable } from '@nestjs/common';
import { AbstractGraphQLDriver } from '@nestjs/graphql';
import type { FastifyInstance } from 'fastify';
import { GraphQLSchema } from 'graphql';
import { RouteTable } from '../../routing/route-table.ts';
import { GraphqlDoor } from './graphql-door.ts';
import {
  GRAPHQL_DEFAULTS,
  GRAPHQL_PATH,
  type GraphqlLimits,
  type GraphqlOptions,
} from './graphql.options.ts';
import { GRAPHQL_ROUTE_ID } from './graphql.route.ts';

/** Serves the code-first schema of Nest over Fastify: graphql-http for the protocol, graphql-jit to execute. */
@Injectable()
export class GatehouseDriver extends AbstractGraphQLDriver<GraphqlOptions> {
  constructor(private readonly routes: RouteTable) {
    super();
  }

  override mergeDefaultOptions(options: GraphqlOptions): Promise<GraphqlOptions> {
    const defaults = {
      ...GRAPHQL_DEFAULTS,
      path: GRAPHQL_PATH,
      autoSchemaFile: true,
      // Field resolvers stay on Nest's fast path: no guards, filters or interceptors per field.
      fieldResolverEnhancers: [],
      production: process.env['NODE_ENV'] === 'production',
    };
    return super.mergeDefaultOptions(options, defaults);
  }

  /** @throws {Error} when the route table has no route for GraphQL: without its policies the door stays shut. */
  override start(options: GraphqlOptions & GraphqlLimits & { schema?: GraphQLSchema }): Promise<void> {
    const route = this.routes.byId(GRAPHQL_ROUTE_ID);
    if (route === undefined) {
      throw new Error(
        `there is no route "${GRAPHQL_ROUTE_ID}"; add graphqlRoute() to the definitions of RoutingModule`,
      );
    }
    if (options.schema === undefined)
      throw new Error('the GraphQL schema is empty; import a module with a resolver');
    const door = new GraphqlDoor(route, options.schema, options);
    const server = this.httpAdapterHost.httpAdapter.getInstance<FastifyInstance>();
    // Not awaited: it loads when the server gets ready, and then inherits the hooks that were added until then.
    void server.register((scope, _options, done) => {
      mount(scope, route.match.path, door, options.maxBodyBytes);
      done();
    });
    return Promise.resolve();
  }

  /** Holds nothing that outlives the server. */
  override stop(): Promise<void> {
    return Promise.resolve();
  }
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
