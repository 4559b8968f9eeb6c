import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HttpRoute } from '../services/http-routes.ts';
import { HttpService } from '../services/http-service.ts';
import type { ServiceOptions } from '../services/sample-service.ts';

const SCRIPT = 'text/javascript; charset=utf-8';
const FILES = {
  'index.html': 'text/html; charset=utf-8',
  'index.css': 'text/css; charset=utf-8',
  'index.js': SCRIPT,
  'homepage.html': 'text/html; charset=utf-8',
  'login.html': 'text/html; charset=utf-8',
  'login.js': SCRIPT,
  'homepage.css': 'text/css; charset=utf-8',
  'homepage.js': SCRIPT,
  'gateway.js': SCRIPT,
  'render.js': SCRIPT,
} as const;

/** Nothing from elsewhere, and no script or style that was put into the page. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

const HEADERS = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-cache',
};

/** The port that the demo uses. */
export const PAGE_PORT = 4105;

/**
 * Starts the service that has the pages of this folder: `GET /index.html` and so on, and what they load.
 *
 * @param routes what it answers besides.
 * @throws {Error} naming service and port when the port is taken.
 */
export async function startPage(
  options: ServiceOptions = {},
  routes: readonly HttpRoute[] = [],
): Promise<HttpService> {
  const files = Object.entries(FILES).map(([name, contentType]) => fileRoute(name, contentType));
  return new HttpService('page', options, [...(await Promise.all(files)), ...routes]).start();
}

async function fileRoute(name: string, contentType: string): Promise<HttpRoute> {
  const body = await readFile(join(import.meta.dirname, name));
  const headers = Object.entries({ ...HEADERS, 'Content-Type': contentType }).flat();
  headers.push('Content-Length', String(body.length));
  return { method: 'GET', path: `/${name}`, handle: () => ({ status: 200, headers, body }) };
}
