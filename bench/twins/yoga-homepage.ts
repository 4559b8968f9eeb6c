/**
 * The GraphQL homepage, and the list with authors, on GraphQL Yoga 5, straight on `node:http`, its page and CORS off. Parsed and validated
 * documents are kept, which is its default.
 *
 * @module
 */
import { createSchema, createYoga } from 'graphql-yoga';
import { listen } from './bare-server.ts';
import { resolvers, typeDefs } from './homepage-schema.ts';

const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  graphiql: false,
  landingPage: false,
  cors: false,
  multipart: false,
});

listen((request, response) => void yoga(request, response));
