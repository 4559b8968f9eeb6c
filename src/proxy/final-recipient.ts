import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { announcesBody } from '../problems/render-problem.ts';
import type { AnswerSink } from '../exchange/answer-sink.ts';
import { passedFields } from '../upstreams/http/request-headers.ts';
import type { Upstream } from '../upstreams/upstream.ts';

const ALL_METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE';
const HOPS = /^\d{1,9}$/;

/**
 * What is said here to an OPTIONS or a TRACE whose `Max-Forwards` says that it goes no further (RFC 9110 section 7.6.2):
 * the request itself, or the methods that are allowed; undefined: it is to be forwarded.
 *
 * @throws {Problem} `request-malformed` for what is malformed about it.
 */
export function finalWordOn({ method, request }: Exchange): 'request' | 'methods' | undefined {
  if (method !== 'OPTIONS' && method !== 'TRACE') return undefined;
  // RFC 9110 section 9.3.8. Fails closed: not every server would look for the end of a body after this method.
  if (method === 'TRACE' && announcesBody(request)) throw malformed('A TRACE has no body.');
  const hops = request.headers['max-forwards'];
  if (hops === undefined) return undefined;
  if (!HOPS.test(String(hops))) throw malformed('Max-Forwards needs a number.');
  if (Number(hops) > 0) return undefined;
  return method === 'TRACE' ? 'request' : 'methods';
}

/** Answers what {@link finalWordOn} has a word on, or refuses it. @returns whether it has; else the request is to be forwarded. */
export function answersHere(exchange: Exchange, upstream: Upstream, sink: AnswerSink): boolean {
  let word: ReturnType<typeof finalWordOn>;
  try {
    word = finalWordOn(exchange);
  } catch (error) {
    sink.fail(error as Problem);
    return true;
  }
  if (word === undefined) return false;
  if (word === 'request') reflect(exchange, upstream, sink);
  else sink.start(204, ['allow', allowedAt(exchange)]);
  sink.end();
  return true;
}

function malformed(detail: string): Problem {
  return new Problem('request-malformed', { detail });
}

function allowedAt(exchange: Exchange): string {
  const methods = exchange.snapshot?.table.methodsAt(exchange);
  return methods === undefined ? ALL_METHODS : [...methods].sort().join(', ');
}

/** Sends the request back, as it would be sent on: without credentials. */
function reflect(exchange: Exchange, upstream: Upstream, sink: AnswerSink): void {
  const { path, query, request } = exchange;
  const fields = passedFields(exchange, exchange.headerEdits, upstream);
  let text = `TRACE ${path}${query} HTTP/${request.httpVersion}\r\nhost: ${request.headers.host ?? ''}\r\n`;
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  const body = Buffer.from(`${text}\r\n`, 'latin1');
  sink.start(200, ['content-type', 'message/http', 'content-length', String(body.length)]);
  sink.data(body);
}
