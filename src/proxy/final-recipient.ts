import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { announcesBody } from '../problems/render-problem.ts';
import type { AnswerSink } from '../exchange/answer-sink.ts';
import { passedFields } from '../upstreams/http/request-headers.ts';
import type { Upstream } from '../upstreams/upstream.ts';

const ALL_METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE';
const HOPS = /^\d{1,9}$/;

/**
 * Answers an OPTIONS or a TRACE whose `Max-Forwards` says that it goes no further (RFC 9110 section 7.6.2), and refuses what
 * is malformed about it.
 *
 * @returns whether it has; else the request is to be forwarded.
 */
export function answersHere(exchange: Exchange, upstream: Upstream, sink: AnswerSink): boolean {
  const { method, request } = exchange;
  // RFC 9110 section 9.3.8. Fails closed: not every server would look for the end of a body after this method.
  if (method === 'TRACE' && announcesBody(request)) return refuse(sink, 'A TRACE has no body.');
  const hops = request.headers['max-forwards'];
  if (hops === undefined) return false;
  if (!HOPS.test(String(hops))) return refuse(sink, 'Max-Forwards needs a number.');
  if (Number(hops) > 0) return false;
  if (method === 'TRACE') reflect(exchange, upstream, sink);
  else sink.start(204, ['allow', allowedAt(exchange)]);
  sink.end();
  return true;
}

function refuse(sink: AnswerSink, detail: string): true {
  sink.fail(new Problem('request-malformed', { detail }));
  return true;
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
