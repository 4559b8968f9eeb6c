import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ConsoleSite } from './console-site.ts';

/** Where the console is. */
export const CONSOLE_PATH = '/console/';

const YEAR_S = 31_536_000;

/** What the page may do: nothing but run its own files and ask its own listener. */
const POLICY = [
  "default-src 'none'",
  ...['script-src', 'style-src', 'img-src', 'font-src', 'connect-src'].map((kind) => `${kind} 'self'`),
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  // No text becomes code or elements, and nobody may say how one would.
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** The header fields of everything that belongs to the page. */
export const CONSOLE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/** Nothing that a page shows is in it, and links of colleagues lead to it. */
const ANYONE = (operation: string, summary: string, media: string) => ({
  config: { operation, role: 'anyone' as const, summary, media, isPage: true },
});

const NOT_BUILT = 'The console is not built: npm run build. Everything else of this listener is there.\n';
const BASE = /<base href="[^"]*"/;

/**
 * Serves the page of the console below {@link CONSOLE_PATH}: the same page for each of its addresses, since the address is read in
 * the browser. It holds nothing of this gateway, so that whoever reaches the listener may have it.
 *
 * @param site the built page; undefined where it is not built, which is answered with 503.
 * @returns whether it is built.
 */
export function serveConsole(server: FastifyInstance, site: ConsoleSite | undefined): boolean {
  const page = ANYONE('showConsole', 'The console', 'text/html');
  server.get('/console', ANYONE('findConsole', 'The way to the console', 'text/html'), (_request, reply) =>
    leadToConsole(reply),
  );
  const asset = ANYONE('readConsoleFile', 'A file of the console', '*/*');
  server.get<{ Params: { name: string } }>('/console/assets/:name', asset, (request, reply) =>
    sendAsset(site, request, reply),
  );
  server.get('/console/*', page, ({ url }, reply) => {
    reply.headers(CONSOLE_HEADERS).header('cache-control', 'no-cache');
    if (site === undefined) return reply.code(503).type('text/plain; charset=utf-8').send(NOT_BUILT);
    return reply.type('text/html; charset=utf-8').send(pageAt(url, site.html));
  });
  return site !== undefined;
}

/** Leads to the console: by a relative address, which is right behind a prefix too. */
export function leadToConsole(reply: FastifyReply): FastifyReply {
  return reply.code(302).headers({ location: 'console/', vary: 'accept' }).send();
}

/** The page for an address: its base leads back to the console, however deep the address is. */
export function pageAt(url: string, html: string): string {
  const [path = ''] = url.split('?', 1);
  const depth = path.slice(CONSOLE_PATH.length).split('/').length - 1;
  return html.replace(BASE, `<base href="${depth === 0 ? './' : '../'.repeat(depth)}"`);
}

function sendAsset(
  site: ConsoleSite | undefined,
  { params: { name }, headers }: FastifyRequest<{ Params: { name: string } }>,
  reply: FastifyReply,
): FastifyReply {
  const file = site?.assets.get(name);
  reply.headers(CONSOLE_HEADERS);
  // A page of before an upgrade asks for files that are gone; it is loaded again, then.
  if (file === undefined)
    return reply.code(404).send({ error: 'the console has no such file; load the page again' });
  reply.headers({
    etag: file.etag,
    'cache-control': `public, max-age=${YEAR_S}, immutable`,
    vary: 'accept-encoding',
  });
  if (headers['if-none-match'] === file.etag) return reply.code(304).send();
  const isPacked = /\bgzip\b/.test(headers['accept-encoding'] ?? '');
  if (isPacked) reply.header('content-encoding', 'gzip');
  return reply.type(file.type).send(isPacked ? file.gzip() : file.bytes);
}
