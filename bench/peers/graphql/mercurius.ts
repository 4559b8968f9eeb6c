/**
 * The GraphQL homepage, and the list with authors, on Mercurius, its compiler of queries (JIT) on from the second use of a
 * document, which is the fastest that it has. Fastify without a log; nothing else is switched off.
 *
 * @module
 */
import { createRequire } from 'node:module';
import { resolvers, typeDefs } from '../../twins/homepage-schema.ts';
import { NPM_MODULES } from '../install.ts';

interface FastifyApp {
  register(plugin: unknown, options: object): Promise<void>;
  listen(options: { port: number; host: string }): Promise<void>;
}

// Both from the same folder: they share Fastify's symbols.
const load = createRequire(`${NPM_MODULES}/`);
const fastify = load('fastify') as () => FastifyApp;

const app = fastify();
await app.register(load('mercurius'), { schema: typeDefs, resolvers, jit: 1 });
await app.listen({ port: Number(process.env['PORT']), host: '127.0.0.1' });
process.once('SIGTERM', () => process.exit(0));
