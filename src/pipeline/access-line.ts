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
  const { trace, attempts, problem } = exchange;
  const line = {
    level: INFO,
    time: Date.now(),
    id: exchange.id,
    traceId: trace.traceId,
    spanId: trace.spanId,
    parentId: trace.parentId,
    route: exchange.route?.id,
    method: exchange.method,
    path: exchange.query === '' ? exchange.path : exchange.path + queryNames(exchange.query),
    status: exchange.status,
    durationMs: Math.round(durationMs * 1000) / 1000,
    client: exchange.clientAddress,
    principal: exchange.principal?.id,
    upstream: exchange.upstream,
    target: attempts[attempts.length - 1]?.target,
    attempts: attempts.length > 1 ? attempts : undefined,
    bytes: exchange.bytesOut,
    cache: exchange.cached === undefined ? undefined : 'hit',
    cut: complete ? undefined : true,
    refused: problem && { stage: problem.entry.stage, code: problem.code, fault: faultOf(problem) },
    msg: 'exchange',
  };
  return `${JSON.stringify(line)}\n`;
}

// The values of a query may hold secrets; their names do not.
function queryNames(query: string): string {
  return query.replace(/=[^&]*/g, '=');
}

function faultOf(problem: Problem): unknown {
  const cause = problem.cause as { code?: unknown; message?: unknown } | undefined;
  return cause === undefined ? undefined : (cause.code ?? cause.message);
}
