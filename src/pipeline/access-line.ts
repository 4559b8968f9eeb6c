import type { Attempt, DegradedPart, Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { errorName } from '../telemetry/error-facts.ts';
import { shownPath, shownQuery } from '../exchange/shown-target.ts';

const INFO = 30;
const LONGEST_NAME = 200;
const MOST_ATTEMPTS = 20;
const MOST_DEGRADED = 20;

// What still waits was kept back by a guard.
function givenAgain({ cached, isReplayed, awaited }: Exchange): string {
  if (awaited !== undefined) return '';
  if (cached !== undefined) return ',"cache":"hit"';
  return isReplayed ? ',"replayed":true' : '';
}

/**
 * The access line of an exchange, as the logger would write it. Of what the client sent it shows the method, the path,
 * the names of query parameters, a request id and a trace id of its own, and who it is; see docs/operations.md. Every
 * text and list in it is bounded.
 *
 * @param complete whether the answer was sent to its end.
 */
export function accessLine(exchange: Exchange, durationMs: number, complete: boolean): string {
  const { trace, attempts, route, principal, upstream, problem, degraded, path, query } = exchange;
  const target = attempts[attempts.length - 1]?.target;
  const shown = query === '' ? shownPath(path) : shownPath(path) + shownQuery(query);
  // By hand, because `JSON.stringify` looks at every name and value as if it did not know them; only what can hold
  // a quote or a control character goes through it.
  let line = `{"level":${INFO},"time":${Date.now()},"id":"${exchange.id}"`;
  line += `,"traceId":"${trace.traceId}","spanId":"${trace.spanId}"`;
  if (trace.parentId !== undefined) line += `,"parentId":"${trace.parentId}"`;
  if (route !== undefined) line += `,"route":${quoted(route.id)}`;
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
  if (degraded.length > 0) line += degradedOf(degraded);
  if (exchange.shadowDenied !== undefined)
    line += `,"shadowDenied":${quoted(bounded(exchange.shadowDenied))}`;
  if (!complete) line += ',"cut":true';
  if (problem !== undefined) line += `,"refused":${refusalOf(problem)}`;
  return `${line},"msg":"exchange"}\n`;
}

const NEEDS_ESCAPES = /["\\\p{Cc}\p{Cs}]/u;

/** A text as JSON. */
function quoted(text: string): string {
  return NEEDS_ESCAPES.test(text) ? JSON.stringify(text) : `"${text}"`;
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function bounded(text: string): string {
  return text.length > LONGEST_NAME ? `${text.slice(0, LONGEST_NAME)}…` : text;
}

function attemptsOf(attempts: readonly Attempt[]): string {
  let list = '';
  // The last ones, because the very last is what was answered with.
  for (let i = Math.max(0, attempts.length - MOST_ATTEMPTS); i < attempts.length; i += 1) {
    const { target, outcome, durationMs, hedge } = attempts[i] as Attempt;
    if (list !== '') list += ',';
    list += `{"target":${quoted(target)},"outcome":${quoted(outcome)},"durationMs":${rounded(durationMs)}${hedge === true ? ',"hedge":true' : ''}}`;
  }
  const left = attempts.length - MOST_ATTEMPTS;
  return left > 0 ? `{"left":${left}},${list}` : list;
}

function degradedOf(degraded: readonly DegradedPart[]): string {
  const shown: object[] = degraded
    .slice(0, MOST_DEGRADED)
    .map(({ section, code, via }) => ({ section: bounded(section), code, via }));
  if (degraded.length > shown.length) shown.push({ left: degraded.length - shown.length });
  return `,"degraded":${JSON.stringify(shown)}`;
}

function refusalOf(problem: Problem): string {
  const { entry, code, by } = problem;
  return JSON.stringify({ stage: entry.stage, code, by: by && bounded(by), fault: faultOf(problem) });
}

// What is behind a problem of a problem is the first one's.
function faultOf({ cause }: Problem): string | undefined {
  let root = cause;
  for (let depth = 0; root instanceof Problem && root.cause !== undefined && depth < 10; depth += 1)
    root = root.cause;
  if (root === undefined) return undefined;
  return root instanceof Problem ? root.code : bounded(errorName(root));
}
