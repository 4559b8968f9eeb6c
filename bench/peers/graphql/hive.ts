/**
 * The GraphQL homepage, and the list with authors, on Hive Gateway. It composes subgraphs; here one, whose schema it runs
 * in its own process with the same resolvers as the others, so that no second hop is measured. Its page is off.
 *
 * @module
 */
import { createRequire } from 'node:module';
import type { RequestListener } from 'node:http';
import { listen } from '../../twins/bare-server.ts';
import { resolvers, typeDefs } from '../../twins/homepage-schema.ts';
import { NPM_MODULES } from '../install.ts';

interface Compose {
  composeSubgraphs(subgraphs: readonly object[]): { supergraphSdl: string };
}
interface Runtime {
  createGatewayRuntime(options: object): RequestListener;
}
interface Delegate {
  createDefaultExecutor(schema: unknown): unknown;
}
interface Schema {
  makeExecutableSchema(parts: { typeDefs: string; resolvers: object }): unknown;
}

// All from the same folder: a schema belongs to the copy of `graphql` that made it.
const load = createRequire(`${NPM_MODULES}/`);
const { composeSubgraphs } = load('@graphql-mesh/fusion-composition') as Compose;
const { createGatewayRuntime } = load('@graphql-hive/gateway-runtime') as Runtime;
const { createDefaultExecutor } = load('@graphql-tools/delegate') as Delegate;
const { makeExecutableSchema } = load('@graphql-tools/schema') as Schema;

const schema = makeExecutableSchema({ typeDefs, resolvers });
const { supergraphSdl } = composeSubgraphs([{ name: 'shop', schema, url: 'http://localhost/shop' }]);

const runtime = createGatewayRuntime({
  supergraph: supergraphSdl,
  transports: { http: { getSubgraphExecutor: () => createDefaultExecutor(schema) } },
  logging: false,
  graphiql: false,
  landingPage: false,
});

listen((request, response) => void runtime(request, response));
