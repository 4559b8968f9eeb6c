import type { DurationCell, ExemplarTrace } from './duration-histogram.ts';
import { FAILED, REFUSED as TURNED_AWAY, WELL, type Flow } from './flow.ts';
import type { Flows } from './flows.ts';
import type { Tally } from './label-counter.ts';
import type { SocketMetrics } from './socket-metrics.ts';
import type { TrafficMetrics } from './traffic-metrics.ts';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const STATUS_CLASSES = ['0xx', '1xx', '2xx', '3xx', '4xx', '5xx', 'refused'];
const LAST_CLASS = 5;
const REFUSED = 6;
const [FIRST_CODE, LAST_CODE] = [100, 599];

/** The request metrics of one route; labels come from the compiled route, never from a raw path. */
export class RouteMetrics {
  readonly #routeId: string;
  readonly #traffic: TrafficMetrics;
  readonly #sockets: SocketMetrics;
  readonly #cells = new Map<string, (DurationCell | undefined)[]>();
  readonly #codes = new Map<string, Map<number, Tally>>();
  #bytes: Tally | undefined = undefined;
  readonly #flows: Flows;
  /** What operators see of it live; undefined until there was a request. */
  flow: Flow | undefined = undefined;

  constructor(routeId: string, flows: Flows, traffic: TrafficMetrics, sockets: SocketMetrics) {
    this.#routeId = routeId;
    this.#flows = flows;
    this.#traffic = traffic;
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

  /** Counts bytes of the body of an answer. */
  sent(bytes: number): void {
    if (bytes > 0) (this.#bytes ??= this.#traffic.bytes.tally(this.#routeId)).add(bytes);
  }

  /** Counts a request that was answered with a problem of ours. */
  refused(stage: string, code: string): void {
    this.#traffic.refused(this.#routeId, stage, code);
  }

  /**
   * Counts one exchange for operators, by how it ended.
   *
   * @param cause why it was refused, or has failed: stage and code; undefined for one that went well, or that a service has failed.
   */
  ended(durationMs: number, end: 'well' | 'failed' | 'refused', cause?: string): Flow {
    const flow = (this.flow ??= this.#flows.of('route', this.#routeId));
    flow.count(durationMs, end === 'well' ? WELL : end === 'failed' ? FAILED : TURNED_AWAY);
    if (cause !== undefined) flow.say(cause);
    return flow;
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
    const cell = (cells[index] ??= this.#traffic.duration.cell({
      route: this.#routeId,
      method: known,
      status: STATUS_CLASSES[index] as string,
    }));
    cell.observe(durationMs / 1000, trace);
    this.#count(known, status >= FIRST_CODE && status <= LAST_CODE ? status : 0);
  }

  #count(method: string, code: number): void {
    let codes = this.#codes.get(method);
    if (codes === undefined) this.#codes.set(method, (codes = new Map()));
    let tally = codes.get(code);
    if (tally === undefined) {
      tally = this.#traffic.requests.tally(this.#routeId, method, code === 0 ? 'other' : String(code));
      codes.set(code, tally);
    }
    tally.add();
  }
}
