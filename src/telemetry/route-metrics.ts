import type { DurationCell, DurationHistogram, ExemplarTrace } from './duration-histogram.ts';
import type { SocketMetrics } from './socket-metrics.ts';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const STATUS_CLASSES = ['0xx', '1xx', '2xx', '3xx', '4xx', '5xx', 'refused'];
const LAST_CLASS = 5;
const REFUSED = 6;

/** The request metrics of one route; labels come from the compiled route, never from a raw path. */
export class RouteMetrics {
  readonly #routeId: string;
  readonly #histogram: DurationHistogram;
  readonly #sockets: SocketMetrics;
  readonly #cells = new Map<string, (DurationCell | undefined)[]>();

  constructor(routeId: string, histogram: DurationHistogram, sockets: SocketMetrics) {
    this.#routeId = routeId;
    this.#histogram = histogram;
    this.#sockets = sockets;
  }

  /** Counts a WebSocket in. */
  socketOpened(): void {
    this.#sockets.opened(this.#routeId);
  }

  /** Counts a WebSocket out. */
  socketClosed(): void {
    this.#sockets.closed(this.#routeId);
  }

  /** Counts what has come over a WebSocket that is forwarded. */
  socketPassed(from: 'client' | 'upstream', messages: number, bytes: number): void {
    this.#sockets.passed(this.#routeId, from, { messages, bytes });
  }

  /** Counts the code that a WebSocket was closed with. */
  socketEnded(code: number): void {
    this.#sockets.ended(this.#routeId, code);
  }

  /** Counts a socket or a stream that has ended because its credential has. */
  credentialEnded(): void {
    this.#sockets.credentialEnded(this.#routeId);
  }

  /**
   * Counts one exchange. Unknown methods share the label `other`, so that clients cannot make series.
   *
   * @param isRefused whether it was refused for want of capacity: that is counted apart from faults.
   * @param trace of an exchange that has spans, for an exemplar.
   */
  observe(
    method: string,
    status: number,
    durationMs: number,
    isRefused = false,
    trace?: ExemplarTrace,
  ): void {
    const known = METHODS.has(method) ? method : 'other';
    let cells = this.#cells.get(known);
    if (cells === undefined) this.#cells.set(known, (cells = []));
    // One cell per label: a scrape with the same series twice is refused as a whole.
    const index = isRefused ? REFUSED : Math.min(Math.max(0, Math.floor(status / 100)), LAST_CLASS);
    const cell = (cells[index] ??= this.#histogram.cell({
      route: this.#routeId,
      method: known,
      status: STATUS_CLASSES[index] as string,
    }));
    cell.observe(durationMs / 1000, trace);
  }
}
