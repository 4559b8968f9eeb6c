import type { Exchange } from '../exchange/exchange.ts';
import type { Route } from '../routing/route.ts';
import { shownPathOf, shownQuery } from '../exchange/shown-target.ts';
import { attemptsOf, bounded, degradedOf, quoted, refusalOf, rounded } from './access-values.ts';

const INFO = 30;

// What still waits was kept back by a guard.
function givenAgain({ cached, isReplayed, awaited }: Exchange): string {
  if (awaited !== undefined) return '';
  if (cached !== undefined) return ',"cache":"hit"';
  return isReplayed ? ',"replayed":true' : '';
}

function routeOf({ id, team }: Pick<Route, 'id' | 'team'>): string {
  const route = `,"route":${quoted(id)}`;
  return team === undefined ? route : `${route},"team":${quoted(team)}`;
}

/**
 * The access line of an exchange, as the logger would write it. Of what the client sent it shows the method, the path,
 * the names of query parameters, a request id and a trace id of its own, and who it is; see docs/operations.md. Every
 * text and list in it is bounded.
 *
 * @param complete whether the answer was sent to its end.
 * @param more members of the object that the configuration asks for, each with a comma before it. Default none.
 */
export function accessLine(exchange: Exchange, durationMs: number, complete: boolean, more = ''): string {
  const { trace, attempts, route, principal, upstream, problem, degraded, query } = exchange;
  const target = attempts[attempts.length - 1]?.target;
  const shown = query === '' ? shownPathOf(exchange) : shownPathOf(exchange) + shownQuery(query);
  // By hand, because `JSON.stringify` looks at every name and value as if it did not know them; only what can hold
  // a quote or a control character goes through it.
  let line = `{"level":${INFO},"time":${Date.now()},"id":"${exchange.id}"`;
  line += `,"traceId":"${trace.traceId}","spanId":"${trace.spanId}"`;
  if (trace.parentId !== undefined) line += `,"parentId":"${trace.parentId}"`;
  if (route !== undefined) line += routeOf(route);
  line += `,"method":"${exchange.method}","path":${quoted(shown)},"status":${exchange.status}`;
  if (exchange.grpcStatus !== undefined) line += `,"grpcStatus":"${exchange.grpcStatus}"`;
  line += `,"durationMs":${rounded(durationMs)},"client":${quoted(exchange.clientAddress)}`;
  if (principal !== undefined) line += `,"principal":${quoted(bounded(principal.id))}`;
  if (upstream !== undefined) line += `,"upstream":${quoted(upstream)}`;
  if (target !== undefined) line += `,"target":${quoted(target)},"attempts":[${attemptsOf(attempts)}]`;
  if (exchange.side !== undefined) line += `,"side":"${exchange.side.name}","sideBy":"${exchange.side.by}"`;
  line += `,"bytes":${exchange.bytesOut}`;
  line += givenAgain(exchange);
  if (exchange.socket !== undefined) line += `,"socket":${JSON.stringify(exchange.socket)}`;
  if (degraded.length > 0) line += `,"degraded":${degradedOf(degraded)}`;
  if (exchange.shadowDenied !== undefined)
    line += `,"shadowDenied":${quoted(bounded(exchange.shadowDenied))}`;
  if (!complete) line += ',"cut":true';
  if (problem !== undefined) line += `,"refused":${refusalOf(problem)}`;
  return `${line}${more},"msg":"exchange"}\n`;
}
