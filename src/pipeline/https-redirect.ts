import { connectionOf } from '../exchange/client-connection.ts';
import type { Answer, Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';

const HTTPS_PORT = 443;
const NOTHING = Buffer.alloc(0);

/**
 * Where a listener sends plain requests that came over it: to the same URL over HTTPS, in a way that keeps method and body
 * (RFC 9110 section 15.4.9). One that a trusted proxy got over HTTPS is where it belongs.
 *
 * @throws {Problem} `request-malformed` for a request that names no host.
 */
export function httpsRedirect({ request, scheme, host, path, query }: Exchange): Answer | undefined {
  const port = connectionOf(request.socket)?.listener.redirectPort;
  if (port === undefined || scheme === 'https') return undefined;
  if (host === '') throw new Problem('request-malformed', { detail: 'A redirect needs a Host header.' });
  const authority = port === HTTPS_PORT ? host : `${host}:${port}`;
  return {
    status: 308,
    headers: ['location', `https://${authority}${path}${query}`, 'content-length', '0'],
    body: NOTHING,
  };
}
