import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { lineStreamOf, type LineStream, type Logger } from '../telemetry/logger.ts';
import type { Metrics, RouteMetrics } from '../telemetry/metrics.ts';
import { accessLine } from './access-line.ts';

const CLIENT_CLOSED_STATUS = 499;
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
  readonly #onClosed: () => void;

  /** @param onClosed called after every exchange. */
  constructor(logger: Logger, metrics: Metrics, onClosed: () => void = () => {}) {
    this.#logger = logger;
    this.#lines = lineStreamOf(logger);
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
    exchange.close();
    const durationMs = performance.now() - exchange.startedAt;
    (exchange.route?.metrics ?? this.#unmatched).observe(exchange.method, exchange.status, durationMs);
    if (this.#logger.isLevelEnabled('info')) this.#lines.write(accessLine(exchange, durationMs, complete));
    if (exchange.problem?.code === 'internal') {
      this.#logger.error(
        { id: exchange.id, err: exchange.problem.cause ?? exchange.problem },
        'unforeseen fault',
      );
    }
    this.#onClosed();
  }
}
