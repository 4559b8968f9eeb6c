import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Registry } from 'prom-client';
import { AuthorizationMetrics } from './authorization-metrics.ts';
import { DurationHistogram } from './duration-histogram.ts';
import { LabelCounter } from './label-counter.ts';
import { OverloadMetrics } from './overload-metrics.ts';
import { QuotaMetrics } from './quota-metrics.ts';
import { RouteMetrics } from './route-metrics.ts';
import { SocketMetrics } from './socket-metrics.ts';
import { StoreMetrics } from './store-metrics.ts';
import { TargetMetrics } from './target-metrics.ts';

const NANOSECONDS = 1e9;

/** What becomes of an attempt to put another configuration into force. */
export const RELOAD_OUTCOMES = ['reloaded', 'unchanged', 'faulty', 'needs-restart'] as const;
/** One of {@link RELOAD_OUTCOMES}. */
export type ReloadOutcome = (typeof RELOAD_OUTCOMES)[number];

const BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The metrics of one gateway process, in a registry of its own. */
export class Metrics {
  readonly registry = new Registry();
  /** Of single targets. */
  readonly targets = new TargetMetrics(this.registry);
  /** Of who may call what. */
  readonly authorization = new AuthorizationMetrics(this.registry);
  /** Of what is refused for want of capacity. */
  readonly overload = new OverloadMetrics(this.registry);
  /** Of what callers may use. */
  readonly quotas = new QuotaMetrics(this.registry);
  readonly #duration: DurationHistogram;
  readonly #attempts = this.#counter(
    'upstream_attempts',
    'Calls to targets of an upstream, by what came back.',
    ['upstream', 'outcome'],
  );
  readonly #refusedRetries = this.#counter(
    'upstream_retries_refused',
    'Attempts that were not made, by why: the budget is spent, or the wait before it would be too long.',
    ['upstream', 'reason'],
  );
  readonly #hedges = this.#counter(
    'upstream_hedges',
    'Second attempts beside slow first ones, by what became of them; refused ones were not made.',
    ['upstream', 'outcome'],
  );
  readonly #decisions = this.#counter('rate_limit_decisions', 'Decisions of the limiter.', [
    'route',
    'outcome',
  ]);
  readonly #calls = this.#counter(
    'grpc_calls',
    'Calls of gRPC that were passed on, by the status that the client heard.',
    ['route', 'status'],
  );
  readonly #refusedConnections: Counter;
  readonly #breakers: Gauge<'upstream' | 'target'>;
  /** How many breakers there are of a target: while one takes the place of another, both. */
  readonly #breakerCounts = new Map<string, number>();
  readonly #routes = new Map<string, RouteMetrics>();
  readonly #reloads: Counter<'outcome'>;
  readonly #configLoaded: Gauge;
  #store: StoreMetrics | undefined = undefined;
  readonly #sockets: SocketMetrics;
  readonly #sections = this.#counter('view_sections', 'Sections of views, by how they ended.', [
    'view',
    'section',
    'outcome',
  ]);
  readonly #invalid = this.#counter(
    'validation_faults',
    'Requests and answers that do not fit their schema.',
    ['route', 'of', 'mode'],
  );
  /** Requests with a key, by what became of them, and of what they were answered. */
  readonly idempotency = this.#counter(
    'idempotency',
    'Requests with an Idempotency-Key: what was done with them, and what was kept of their answers.',
    ['route', 'outcome'],
  );
  readonly #forgetters: ((ids: ReadonlySet<string>) => void)[] = [];
  readonly #loopDelay: ReturnType<typeof monitorEventLoopDelay>;

  constructor() {
    const registers = [this.registry];
    this.#duration = new DurationHistogram(
      'gatehouse_request_duration_seconds',
      'Time from the first byte of a request to the last byte of its answer.',
      BUCKETS_SECONDS,
    );
    this.registry.registerMetric(this.#duration.asMetric());
    this.#refusedConnections = new Counter({
      name: 'gatehouse_connections_refused_total',
      help: 'Connections of clients that were closed at once, because their address had as many as it may.',
      registers,
    });
    this.#breakers = new Gauge({
      name: 'gatehouse_breaker_state',
      help: 'State of the breaker of a target: 0 closed, 1 half-open, 2 open.',
      labelNames: ['upstream', 'target'],
      registers,
    });
    this.#sockets = new SocketMetrics(this.registry);
    this.#reloads = new Counter({
      name: 'gatehouse_config_reloads_total',
      help: 'Attempts to put another configuration into force, by what became of them.',
      labelNames: ['outcome'],
      registers,
    });
    for (const outcome of RELOAD_OUTCOMES) this.#reloads.inc({ outcome }, 0);
    this.#configLoaded = new Gauge({
      name: 'gatehouse_config_loaded_timestamp_seconds',
      help: 'When the configuration that is in force was put into force, in seconds since the epoch.',
      registers,
    });
    this.#loopDelay = monitorEventLoopDelay({ resolution: 20 });
    this.#registerLoopDelay();
  }

  /** Shows how many lines of the log were lost. @param read tells how many, since the process began. */
  showDroppedLines(read: () => number): void {
    new Counter({
      name: 'gatehouse_log_lines_dropped_total',
      help: 'Lines of the log that were lost, because nobody reads them, or not as fast as they come.',
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  /** Counts a connection that was one too many of its address. */
  connectionRefused(): void {
    this.#refusedConnections.inc();
  }

  /** The request metrics of a route: one for each id, so that a route that is compiled again counts on. */
  forRoute(routeId: string): RouteMetrics {
    let route = this.#routes.get(routeId);
    if (route === undefined)
      this.#routes.set(routeId, (route = new RouteMetrics(routeId, this.#duration, this.#sockets)));
    return route;
  }

  /** Shows nothing more of routes that are gone: ids come from files, and a gateway that reloads may see any number. */
  forgetRoutes(ids: ReadonlySet<string>): void {
    if (ids.size === 0) return;
    for (const id of ids) this.#routes.delete(id);
    this.#sockets.forget(ids);
    this.#duration.forget('route', ids);
    this.#decisions.forget(ids);
    this.quotas.forget(ids);
    this.#calls.forget(ids);
    this.#sections.forget(ids);
    this.#invalid.forget(ids);
    this.idempotency.forget(ids);
    this.overload.forget(ids);
    for (const forget of this.#forgetters) forget(ids);
  }

  /** Shows nothing more of upstreams that are gone. */
  forgetUpstreams(names: ReadonlySet<string>): void {
    for (const counter of [this.#attempts, this.#refusedRetries, this.#hedges]) counter.forget(names);
  }

  /** Tells who counts for routes which of them are gone. */
  onRoutesForgotten(forget: (ids: ReadonlySet<string>) => void): void {
    this.#forgetters.push(forget);
  }

  /** Counts one call to a target. */
  attempted(upstream: string, outcome: string): void {
    this.#attempts.count(upstream, outcome);
  }

  /** Counts an attempt that would have been made, but for the budget or the time it would have to wait. */
  retryRefused(upstream: string, reason: 'budget' | 'wait'): void {
    this.#refusedRetries.count(upstream, reason);
  }

  /** Counts a second attempt beside a slow first one; `refused`: the budget is spent. */
  hedged(upstream: string, outcome: 'won' | 'lost' | 'failed' | 'refused'): void {
    this.#hedges.count(upstream, outcome);
  }

  /** Counts a call of gRPC that was passed on, by the name of its status. */
  callPassed(route: string, status: string): void {
    this.#calls.count(route, status);
  }

  /** Counts a request or an answer that does not fit its schema. @param mode what came of it: `enforce` or `shadow`. */
  invalid(route: string, of: 'request' | 'answer', mode: string): void {
    this.#invalid.count(route, of, mode);
  }

  /** Counts one decision of the limiter. */
  limitDecided(route: string, outcome: string): void {
    this.#decisions.count(route, outcome);
  }

  /** Shows the state of a breaker. */
  breakerChanged(upstream: string, target: string, state: 'closed' | 'half-open' | 'open'): void {
    this.#breakers.set({ upstream, target }, state === 'closed' ? 0 : state === 'open' ? 2 : 1);
  }

  /** Shows a breaker that is new, and closed. */
  breakerMade(upstream: string, target: string): void {
    const key = `${upstream}\n${target}`;
    this.#breakerCounts.set(key, (this.#breakerCounts.get(key) ?? 0) + 1);
    this.breakerChanged(upstream, target, 'closed');
  }

  /** Shows no state any more of a breaker that has ended, unless another one has taken its place. */
  breakerEnded(upstream: string, target: string): void {
    const key = `${upstream}\n${target}`;
    const left = (this.#breakerCounts.get(key) ?? 0) - 1;
    if (left > 0) return void this.#breakerCounts.set(key, left);
    this.#breakerCounts.delete(key);
    this.#breakers.remove({ upstream, target });
  }

  /** Counts an attempt to put another configuration into force. */
  reloadEnded(outcome: ReloadOutcome): void {
    this.#reloads.inc({ outcome });
  }

  /** Shows since when the configuration is in force that is. */
  configLoaded(atMs: number): void {
    this.#configLoaded.set(atMs / 1000);
  }

  /**
   * Shows whether the store is used: for what, and on the whole. Never said, there is none, and nothing that could look like its
   * failure.
   */
  storeChanged(up: boolean, use: string): void {
    this.#store ??= new StoreMetrics(this.registry);
    this.#store.changed(up, use);
  }

  /** Counts how a section of a view ended. */
  sectionEnded(view: string, section: string, outcome: string): void {
    this.#sections.count(view, section, outcome);
  }

  /** Starts to sample the delay of the event loop; a stopped process holds no timer. */
  start(): void {
    this.#loopDelay.enable();
  }

  /** Stops sampling. */
  stop(): void {
    this.#loopDelay.disable();
  }

  #counter(name: string, help: string, labels: readonly string[]): LabelCounter {
    return new LabelCounter({ name: `gatehouse_${name}_total`, help, labels }, this.registry);
  }

  #registerLoopDelay(): void {
    const delay = this.#loopDelay;
    new Gauge({
      name: 'gatehouse_event_loop_delay_seconds',
      help: 'Delay of the event loop since the last scrape.',
      // Not `quantile`, which Prometheus keeps for summaries.
      labelNames: ['percentile'],
      registers: [this.registry],
      collect() {
        for (const percentile of [50, 90, 99]) {
          this.set({ percentile }, delay.percentile(percentile) / NANOSECONDS);
        }
        delay.reset();
      },
    });
  }
}
