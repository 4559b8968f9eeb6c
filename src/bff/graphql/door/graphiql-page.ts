import type { FastifyReply, FastifyRequest } from 'fastify';
import { createHash } from 'node:crypto';
import { sendStatic, staticAnswer, type StaticAnswer } from '../../../exchange/static-answer.ts';
import { prefersPage } from './accept.ts';
import type { RouteOf } from './graphql.route.ts';

/** What people find in the editor when they open it for the first time. */
const WELCOME = `# "Headers" below takes a credential:
#   { "authorization": "Bearer …" }
#   or { "x-api-key": "…" }
# Where one is due, all is refused (401) until then.
# Then read the schema: the round arrow at the
# lower left. Ctrl-Enter runs the query,
# Ctrl-Space completes a name.

{
  __typename
}
`;

/** A page, and what a browser shall let it do. */
interface Page {
  readonly answer: StaticAnswer;
  readonly contentSecurityPolicy: string;
}

/**
 * GraphiQL for browsers that open the address of the GraphQL door: one page that loads nothing from anywhere. It
 * says nothing about the schema and is shown to everybody; what it asks for meets the stages of the door like any
 * request. The package is loaded when the page is first asked for.
 */
export class GraphiqlPage {
  readonly #routeOf: RouteOf;
  #page: Promise<Page> | undefined = undefined;

  constructor(routeOf: RouteOf) {
    this.#routeOf = routeOf;
  }

  /** Answers who would rather see a page; lets everybody else pass. */
  readonly enter = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
    const { method, headers, exchange } = request;
    if (method !== 'GET' || !prefersPage(headers.accept)) return done();
    exchange.route = this.#routeOf(exchange);
    this.#page ??= readPage();
    this.#page.then(
      ({ answer, contentSecurityPolicy }) => {
        void reply.header('content-security-policy', contentSecurityPolicy).header('vary', 'accept');
        sendStatic(reply, answer, headers['if-none-match'], 'no-cache');
      },
      // A development dependency: who runs without those gets the answer that production gives.
      (error: unknown) => done(isMissing(error) ? undefined : (error as Error)),
    );
  };
}

function isMissing(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ERR_MODULE_NOT_FOUND';
}

async function readPage(): Promise<Page> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const html = renderGraphiQL({
    title: 'Gatehouse',
    favicon: 'data:,',
    defaultQuery: WELCOME,
    headers: '{\n  "authorization": "Bearer "\n}',
    defaultEditorToolsVisibility: 'headers',
    // A token that is kept in the browser outlives the person in front of it.
    shouldPersistHeaders: false,
    subscriptionsProtocol: 'GRAPHQL_SSE',
  });
  return {
    answer: staticAnswer('text/html; charset=utf-8', Buffer.from(html)),
    contentSecurityPolicy: graphiqlPolicy(html),
  };
}

/** The Content-Security-Policy of a page of GraphiQL: its scripts by their hashes, and the workers that they start. */
export function graphiqlPolicy(html: string): string {
  const scripts = [...html.matchAll(/<script>([^]*?)<\/script>/g)].map(
    ([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`,
  );
  return [
    "default-src 'none'",
    `script-src ${scripts.join(' ')}`,
    'worker-src blob:',
    // The editor computes its styles; no script comes in by them.
    "style-src 'unsafe-inline'",
    'font-src data:',
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
