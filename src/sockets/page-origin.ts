import type { Exchange } from '../exchange/exchange.ts';
import { isLiftedToken } from '../exchange/lifted-token.ts';
import { isLiftedKey } from '../exchange/key-places.ts';
import { Problem } from '../problems/problem.ts';

/**
 * Refuses the handshake of a page of another origin. Browsers let any page open a socket to anywhere, with whatever
 * they add by themselves, and do not ask us first; they only say who it is (RFC 6455 section 10.2). A handshake
 * passes when it carries a token or a key, which no browser adds by itself, when its page is ours or listed, and when it
 * names no page: it comes from no browser then.
 *
 * @param allowed origins such as `https://app.example.com`.
 * @throws {Problem} `permission-denied`.
 */
export function refuseForeignOrigin(exchange: Exchange, allowed: readonly string[]): void {
  const { request, host } = exchange;
  const { origin, authorization, 'x-api-key': key } = request.headers;
  if (origin === undefined) return;
  if ((authorization !== undefined || key !== undefined) && !mayLean(exchange)) return;
  if (allowed.includes(origin)) return;
  // With its port: another port of our host is somebody else.
  if (host !== '' && URL.parse(origin)?.host === request.headers.host?.toLowerCase()) return;
  // Fails closed, also for `null`, the origin of pages that have none.
  throw new Problem('permission-denied', {
    detail: 'Pages of this origin may not open sockets here.',
    by: 'origin',
  });
}

// What any page can say and nobody has checked proves nothing, while the service behind may go by the cookie that came along.
function mayLean({ request, principal }: Exchange): boolean {
  if (principal !== undefined || request.headers.cookie === undefined) return false;
  return isLiftedToken(request) || isLiftedKey(request);
}
