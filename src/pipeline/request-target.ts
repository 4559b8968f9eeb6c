import type { IncomingMessage } from 'node:http';
import { absoluteForm, isHostName, isSaneHost, originForm } from '../exchange/absolute-form.ts';
import type { Answer, Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { normalizePath, splitTarget } from '../routing/request-path.ts';

/** Where a request without a path of its own is routed; no handler sees it, because the open stage ends it first. */
const NOWHERE = '/';

/** What `OPTIONS *` is answered with (RFC 9110 section 9.3.7): what a route may take. */
const OF_THE_SERVER: Answer = Object.freeze({
  status: 204,
  headers: ['allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE'],
  body: Buffer.alloc(0),
});

/** Makes the target that Fastify routes by the same normal form that the route table matches. */
export function routableTarget(request: IncomingMessage): string {
  const target = originForm(request);
  const { path, query } = splitTarget(target);
  const normal = normalizePath(path, 'keep');
  if (normal === path) return target;
  return normal === undefined ? NOWHERE : normal + query;
}

/**
 * Looks at a target that is not the one that the request is routed by.
 *
 * @param target as it was sent.
 * @returns the answer, where it is for no resource of ours.
 * @throws {Problem} `request-malformed`, or `method-not-implemented` for `CONNECT`.
 */
export function checkTarget({ request, scheme }: Exchange, target: string): Answer | undefined {
  if (request.method === 'CONNECT') throw new Problem('method-not-implemented');
  const absolute = absoluteForm(target);
  // RFC 9110 section 7.4: what is for https is not answered to whoever came without it.
  if (absolute !== undefined && absolute.scheme !== scheme)
    throw malformed(`The request came over ${scheme}, and its target says ${absolute.scheme}.`);
  const own = absolute?.rest ?? target;
  if (request.method === 'OPTIONS' && own === (absolute === undefined ? '*' : '')) return OF_THE_SERVER;
  const { path } = splitTarget(own);
  if (normalizePath(path === '' && absolute !== undefined ? NOWHERE : path, 'keep') === undefined)
    throw malformed('The path is not in a form that every server reads alike.');
  return undefined;
}

/** Whether a version is one of ours. Only a stream of HTTP/2 has a scheme of its own: a request line that says `HTTP/2.0` is none. */
export function isKnownVersion(request: IncomingMessage): boolean {
  const { httpVersion } = request;
  return httpVersion === '1.1' || httpVersion === '1.0' || (httpVersion === '2.0' && 'scheme' in request);
}

/**
 * Whether a request has one host and no other (RFC 9112 section 3.2): the parsed fields would hide a second one. HTTP/1.0
 * needs none.
 */
export function hasSaneHost({ rawHeaders, headers, httpVersion }: IncomingMessage): boolean {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (isHostName(rawHeaders[i] as string)) hosts += 1;
  }
  if (hosts === 0) return httpVersion === '1.0';
  return hosts === 1 && isSaneHost(headers.host ?? '');
}

function malformed(detail: string): Problem {
  return new Problem('request-malformed', { detail });
}
