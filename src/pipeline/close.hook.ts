import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics, RouteMetrics } from '../telemetry/metrics.ts';

const CLIENT_CLOSED_STATUS = 499;
const UNMATCHED = '(none)';

/**
 * Stage 14: one access line and the metrics of an exchange, however it ended. It listens to `close` of the
 * response, which comes once after the last byte or when the client went away; Fastify's `onResponse` never
 * comes for the latter.
 */
export class CloseHook {
  readonly #logger: Logger;
  readonly #unmatched: RouteMetrics;
  readonly #onClosed: () => void;

  /** @param onClosed called after every exchange. */
  constructor(logger: Logger, metrics: Metrics, onClosed: () => void = () => {}) {
    this.#logger = logger;
    this.#unmatched = metrics.forRoute(UNMATCHED);
    this.#onClosed = onClosed;
  }

  /** Has the exchange closed when its response is. */
  watch(exchange: Exchange): void {
    exchange.response.once('close', () => this.#close(exchange));
  }

  #close(exchange: Exchange): void {
    const { response } = exchange;
    const complete = response.writableFinished;
    if (!complete && exchange.problem === undefined) {
      exchange.problem = exchange.cancelled ?? new Problem('client-closed');
      exchange.cancel(exchange.problem);
    }
    exchange.status = exchange.problem?.code === 'client-closed' ? CLIENT_CLOSED_STATUS : response.statusCode;
    exchange.onClose?.();
    const durationMs = performance.now() - exchange.startedAt;
    (exchange.route?.metrics ?? this.#unmatched).observe(exchange.method, exchange.status, durationMs);
    if (this.#logger.isLevelEnabled('info'))
      this.#logger.info(accessLine(exchange, durationMs, complete), 'exchange');
    if (exchange.problem?.code === 'internal') {
      this.#logger.error(
        { id: exchange.id, err: exchange.problem.cause ?? exchange.problem },
        'unforeseen fault',
      );
    }
    this.#onClosed();
  }
}

function accessLine(exchange: Exchange, durationMs: number, complete: boolean): Record<string, unknown> {
  const { trace, attempts, problem } = exchange;
  return {
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
  };
}

// The values of a query may hold secrets; their names do not.
function queryNames(query: string): string {
  return query.replace(/=[^&]*/g, '=');
}

function faultOf(problem: Problem): unknown {
  const cause = problem.cause as { code?: unknown; message?: unknown } | undefined;
  return cause === undefined ? undefined : (cause.code ?? cause.message);
}
