import type { Exchange } from '../exchange/exchange.ts';
import type { Problem } from '../problems/problem.ts';

const INFO = 30;

/**
 * The access line of an exchange, as the logger would write it. No value comes from the client but the method, the
 * path and the request id; the values of its query are left out.
 *
 * @param complete whether the answer was sent to its end.
 */
export function accessLine(exchange: Exchange, durationMs: number, complete: boolean): string {
  const { trace, attempts, route, principal, upstream, problem } = exchange;
  const target = attempts[attempts.length - 1]?.target;
  // By hand, because `JSON.stringify` looks at every name and value as if it did not know them; only what can hold
  // a quote or a control character goes through it.
  let line = `{"level":${INFO},"time":${Date.now()},"id":"${exchange.id}"`;
  line += `,"traceId":"${trace.traceId}","spanId":"${trace.spanId}"`;
  if (trace.parentId !== undefined) line += `,"parentId":"${trace.parentId}"`;
  if (route !== undefined) line += `,"route":${quoted(route.id)}`;
  line += `,"method":"${exchange.method}","path":${quoted(pathOf(exchange))},"status":${exchange.status}`;
  line += `,"durationMs":${Math.round(durationMs * 1000) / 1000},"client":${quoted(exchange.clientAddress)}`;
  if (principal !== undefined) line += `,"principal":${quoted(principal.id)}`;
  if (upstream !== undefined) line += `,"upstream":${quoted(upstream)}`;
  if (target !== undefined) line += `,"target":${quoted(target)}`;
  if (attempts.length > 1) line += `,"attempts":${JSON.stringify(attempts)}`;
  line += `,"bytes":${exchange.bytesOut}`;
  if (exchange.cached !== undefined) line += ',"cache":"hit"';
  if (!complete) line += ',"cut":true';
  if (problem !== undefined) line += `,"refused":${refusalOf(problem)}`;
  return `${line},"msg":"exchange"}\n`;
}

const NEEDS_ESCAPES = /["\\\p{Cc}\p{Cs}]/u;

/** A text as JSON. */
function quoted(text: string): string {
  return NEEDS_ESCAPES.test(text) ? JSON.stringify(text) : `"${text}"`;
}

function pathOf({ path, query }: Exchange): string {
  return query === '' ? path : path + queryNames(query);
}

function refusalOf(problem: Problem): string {
  return JSON.stringify({ stage: problem.entry.stage, code: problem.code, fault: faultOf(problem) });
}

// The values of a query may hold secrets; their names do not.
function queryNames(query: string): string {
  return query.replace(/=[^&]*/g, '=');
}

function faultOf(problem: Problem): unknown {
  const cause = problem.cause as { code?: unknown; message?: unknown } | undefined;
  return cause === undefined ? undefined : (cause.code ?? cause.message);
}
