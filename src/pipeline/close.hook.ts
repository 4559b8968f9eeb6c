import { endWhenKept } from '../exchange/answer-keeper.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Draining } from '../health/draining.ts';
import { Problem } from '../problems/problem.ts';
import { lineStreamOf, type LineStream, type Logger } from '../telemetry/logger.ts';
import type { RouteMetrics } from '../telemetry/route-metrics.ts';
import type { TrafficMetrics } from '../telemetry/traffic-metrics.ts';
import { writeAccessLine } from './access-log.ts';
import type { Connections } from './connections.ts';
import type { Traffic } from '../traffic/traffic.ts';
import { showExchange, statusOf } from './exchange-ending.ts';
import type { HookDeps } from './hook-deps.ts';

const UNMATCHED = '(none)';

/**
 * Stage 14: one access line and the metrics of an exchange, however it ended. It listens to `close` of the
 * response, which comes once after the last byte or when the client went away; Fastify's `onResponse` never
 * comes for the latter.
 */
export class CloseHook {
  readonly #logger: Logger;
  readonly #lines: LineStream;
  readonly #unmatched: RouteMetrics;
  readonly #draining: Draining;
  readonly #connections: Connections;
  readonly #traffic: TrafficMetrics;
  readonly #operators: Traffic | undefined;

  constructor({ logger, metrics, draining, connections, traffic }: HookDeps) {
    this.#logger = logger;
    this.#lines = lineStreamOf(logger);
    this.#unmatched = metrics.forRoute(UNMATCHED);
    this.#draining = draining;
    this.#connections = connections;
    this.#traffic = metrics.traffic;
    this.#operators = traffic;
  }

  /** Has the exchange closed when its response is. */
  watch(exchange: Exchange): void {
    this.#traffic.inFlight += 1;
    exchange.response.once('close', () => {
      if (exchange.keeper === undefined && exchange.recording === undefined) this.#close(exchange);
      else endWhenKept(exchange, this.#draining.isCutOff, () => this.#close(exchange));
    });
  }

  #close(exchange: Exchange): void {
    const { response, id } = exchange;
    const complete = response.writableFinished;
    this.#traffic.inFlight -= 1;
    if (!complete && exchange.problem === undefined) {
      const cause = this.#draining.isCutOff ? 'shutting-down' : 'client-closed';
      exchange.problem = exchange.cancelled ?? new Problem(cause);
      exchange.cancel(exchange.problem);
    }
    exchange.status = statusOf(exchange);
    // Whoever makes spans of them takes them away at the close.
    const notes = exchange.trace.spans?.notes;
    exchange.close();
    const durationMs = performance.now() - exchange.startedAt;
    const metrics = exchange.route?.metrics ?? this.#unmatched;
    const { trace } = exchange;
    const shown = trace.spans?.isKept === true ? trace : undefined;
    metrics.observe(exchange.method, exchange.status, durationMs, exchange.problem?.isOverload, shown);
    metrics.sent(exchange.bytesOut);
    if (exchange.problem !== undefined) metrics.refused(exchange.problem.entry.stage, exchange.problem.code);
    if (this.#logger.isLevelEnabled('info')) writeAccessLine(this.#lines, exchange, durationMs, complete);
    const { problem, headFault } = exchange;
    if (problem?.code === 'internal')
      this.#logger.error({ id, err: problem.cause ?? problem }, 'unforeseen fault');
    if (headFault !== undefined)
      this.#logger.error({ id, err: headFault }, 'unforeseen fault at the head of a problem');
    showExchange(exchange, this.#operators, { metrics, durationMs, notes, complete });
    if (this.#draining.active) this.#connections.ended(exchange);
    exchange.snapshot?.release();
  }
}
