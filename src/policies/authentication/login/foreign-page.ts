import type { IncomingMessage } from 'node:http';
import { Problem } from '../../../problems/problem.ts';
import { soleHeader } from '../credential-header.ts';

/** Methods that change nothing (RFC 9110 section 9.2.1), as far as a page can use them. */
const SAFE_METHODS: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses a request that a page of another origin may have sent with the cookies of a user (RFC 10017 section 6.1.3.3). What
 * browsers say about that, no page can change: `Sec-Fetch-Site` where they say it, else `Origin`; who says neither may
 * only read, and open no socket.
 *
 * @param origins the pages that may.
 * @throws {Problem} `permission-denied`.
 */
export function refuseForeignPage(request: IncomingMessage, origins: ReadonlySet<string>): void {
  const { headers, method } = request;
  const site = headers['sec-fetch-site'];
  if (site === 'same-origin') return;
  // A socket is asked for by GET, and says then what it likes.
  const isSafe = SAFE_METHODS.has(method) && headers.upgrade === undefined;
  if (isSafe && (site === 'none' || isPage(request))) return;
  const origin = soleHeader(request, 'origin');
  if (origin === undefined ? isSafe && site === undefined : origins.has(origin)) return;
  // Fails closed, also for `null`, the origin of pages that have none.
  throw new Problem('permission-denied', {
    detail: 'With a session, only pages of certain origins may call.',
    by: 'identity.login.origins',
  });
}

/** Whether a browser opens a page, in place of the one that it shows. */
function isPage({ headers, method }: IncomingMessage): boolean {
  return (
    method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
  );
}

/**
 * Whether whoever asks would show the answer to a person as a page, so that it may be sent elsewhere: a script that follows a
 * redirect to a provider only gets an error that it cannot read.
 */
export function isNavigation({ headers, method }: IncomingMessage): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  const mode = headers['sec-fetch-mode'];
  if (mode !== undefined)
    return mode === 'navigate' && (headers['sec-fetch-dest'] ?? 'document') === 'document';
  return method === 'GET' && headers.upgrade === undefined && headers.accept?.includes('text/html') === true;
}
