import { readFile } from 'node:fs/promises';
import type { HttpRoute, Reply } from '../services/http-routes.ts';
import { privatePage } from './private-page.ts';
import type { IdentityService } from '../services/identity.ts';

const PAGE = new URL('../../src/contracts/page/docs.html', import.meta.url);
/** Somebody may leave the page open over night. */
const TOKEN_LIFE_S = 12 * 3600;

/** That of `/docs`. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

/**
 * `GET /docs`: the page of the API of its own origin, with a token of the sample user. For a demo only: whoever may read the
 * page has the token. No other site may, no cache keeps it, and it is in no address.
 */
export function docsRoute(identity: Pick<IdentityService, 'token'>): HttpRoute {
  return { method: 'GET', path: '/docs', handle: () => render(identity) };
}

async function render(identity: Pick<IdentityService, 'token'>): Promise<Reply> {
  const token = await identity.token('user', { exp: Math.floor(Date.now() / 1000) + TOKEN_LIFE_S });
  const html = await readFile(PAGE, 'utf8');
  const head = `<head>\n    <meta name="gatehouse-token" content="${token}" />`;
  // What it loads is that of the gateway, above this page.
  return privatePage(html.replace('<head>', head).replace(/(?<==")(?=docs\/|openapi\.json)/g, '/'), POLICY);
}
