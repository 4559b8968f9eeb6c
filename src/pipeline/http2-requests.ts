import { connectionOf } from '../exchange/client-connection.ts';
import type { IncomingMessage } from 'node:http';
import type { Exchange } from '../exchange/exchange.ts';
import { StreamRequest } from '../listeners/http2/stream-request.ts';
import { Problem } from '../problems/problem.ts';

/**
 * Refuses what the parser of HTTP/1.1 would have refused before there was an exchange: a head that is too large, and methods
 * that nobody knows.
 *
 * @throws {Problem} `headers-too-large` or `method-not-implemented`.
 */
export function refuseHead({ request }: Exchange): void {
  if (request instanceof StreamRequest && request.refusal !== undefined) throw new Problem(request.refusal);
}

/** What is said of a request instead of its method, which nobody knows; undefined for any other. */
export function shownMethod(request: IncomingMessage): string | undefined {
  return request.httpVersionMajor === 2 ? (request as Partial<StreamRequest>).shownMethod : undefined;
}

/**
 * Sends a request away whose host has another certificate of the listener than its connection (RFC 9110 section 15.5.20):
 * clients that have one connection use it for whatever they think it is good for (RFC 9113 section 9.1.1).
 *
 * @throws {Problem} `misdirected-request`.
 */
export function refuseMisdirected({ request, host }: Exchange): void {
  if (connectionOf(request.socket)?.isForAnother?.(host) === true) throw new Problem('misdirected-request');
}
