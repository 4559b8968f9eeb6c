import { isIP } from 'node:net';
import type { Exchange } from '../exchange/exchange.ts';
import { shownPathOf, shownQuery } from '../exchange/shown-target.ts';
import type { Problem } from '../problems/problem.ts';
import { attemptsOf, bounded, degradedOf, faultOf, quoted } from './access-values.ts';

/** The version of the schema whose fields are written; Elastic's own log formatters say the same. */
const ECS_VERSION = '8.11.0';
const NANOSECONDS = 1e6;
const FIRST_FAILURE = 400;

/** What is the same in every line. */
const KIND = '"kind":"event","category":["web"],"type":["access"],"dataset":"gatehouse.access"';

/**
 * The access line in the fields of the Elastic Common Schema. What that has no field for is an object of its own,
 * `gatehouse`, in the names of {@link accessLine}; it shows no more of clients than that.
 *
 * @param more labels and the like that the configuration asks for.
 */
export function ecsLine(exchange: Exchange, durationMs: number, complete: boolean, more: EcsMore): string {
  const { trace, method, query, status, problem, principal, upstream, attempts } = exchange;
  const isFailure = status >= FIRST_FAILURE || problem !== undefined || !complete;
  const shown = shownPathOf(exchange);
  let line = `{"@timestamp":"${new Date().toISOString()}","log.level":"info"`;
  line += `,"message":${quoted(`${method} ${shown} ${status}`)},"ecs.version":"${ECS_VERSION}"`;
  line += `,"event":{${KIND},"outcome":"${isFailure ? 'failure' : 'success'}"`;
  line += `,"duration":${Math.round(durationMs * NANOSECONDS)}${reasonOf(problem)}}`;
  line += `,"http":{"version":"${exchange.request.httpVersion}","request":{"id":"${exchange.id}","method":"${method}"}`;
  line += `,"response":{"status_code":${status},"body":{"bytes":${exchange.bytesOut}}}}`;
  line += `,"url":{"scheme":"${exchange.scheme}","path":${quoted(shown)}`;
  if (query !== '') line += `,"query":${quoted(shownQuery(query).slice(1))}`;
  line += `},"client":${clientOf(exchange.clientAddress)}`;
  line += `,"trace":{"id":"${trace.traceId}"},"span":{"id":"${trace.spanId}"}`;
  if (principal !== undefined) line += `,"user":{"id":${quoted(bounded(principal.id))}}`;
  const target = attempts[attempts.length - 1]?.target;
  if (upstream !== undefined)
    line += `,"service":{"target":{"name":${quoted(upstream)}${addressOf(target)}}}`;
  if (problem !== undefined) line += errorOf(problem);
  return `${line}${more.labels},"gatehouse":{${ownOf(exchange, complete, more.own)}}}\n`;
}

/** What the configuration adds, as text of JSON: `,"labels":{…}` or nothing, and members of `gatehouse`. */
export interface EcsMore {
  readonly labels: string;
  readonly own: string;
}

function reasonOf(problem: Problem | undefined): string {
  return problem?.by === undefined ? '' : `,"reason":${quoted(bounded(problem.by))}`;
}

function addressOf(target: string | undefined): string {
  return target === undefined ? '' : `,"address":${quoted(target)}`;
}

function clientOf(address: string): string {
  const text = quoted(address);
  return isIP(address) === 0 ? `{"address":${text}}` : `{"address":${text},"ip":${text}}`;
}

function errorOf(problem: Problem): string {
  const fault = faultOf(problem);
  return `,"error":{"code":"${problem.code}"${fault === undefined ? '' : `,"type":${quoted(fault)}`}}`;
}

function ownOf(exchange: Exchange, complete: boolean, more: string): string {
  const { route, trace, attempts, degraded, problem, side } = exchange;
  let own = '';
  if (route !== undefined) own += `,"route":${quoted(route.id)}`;
  if (route?.team !== undefined) own += `,"team":${quoted(route.team)}`;
  if (trace.parentId !== undefined) own += `,"parentId":"${trace.parentId}"`;
  if (problem !== undefined) own += `,"stage":"${problem.entry.stage}"`;
  if (exchange.grpcStatus !== undefined) own += `,"grpcStatus":"${exchange.grpcStatus}"`;
  if (attempts.length > 0) own += `,"attempts":[${attemptsOf(attempts)}]`;
  if (side !== undefined) own += `,"side":"${side.name}","sideBy":"${side.by}"`;
  if (exchange.cached !== undefined) own += ',"cache":"hit"';
  if (exchange.isReplayed) own += ',"replayed":true';
  if (exchange.socket !== undefined) own += `,"socket":${JSON.stringify(exchange.socket)}`;
  if (degraded.length > 0) own += `,"degraded":${degradedOf(degraded)}`;
  if (exchange.shadowDenied !== undefined) own += `,"shadowDenied":${quoted(bounded(exchange.shadowDenied))}`;
  if (!complete) own += ',"cut":true';
  return (own + more).slice(1);
}
