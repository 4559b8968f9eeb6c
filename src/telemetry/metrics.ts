import { Counter, Registry } from 'prom-client';
import { AdminMetrics } from './admin-metrics.ts';
import { AuthorizationMetrics } from './authorization-metrics.ts';
import { BreakerMetrics } from './breaker-metrics.ts';
import { CompositionMetrics } from './composition-metrics.ts';
import { Changes } from './changes.ts';
import { ConfigMetrics } from './config-metrics.ts';
import { Flows } from './flows.ts';
import { LabelCounter } from './label-counter.ts';
import { LoopMetrics } from './loop-metrics.ts';
import type { RegisteredMetric } from './metric-family.ts';
import type { MetricsFormat } from './metrics-format.ts';
import { OverloadMetrics } from './overload-metrics.ts';
import { registerProcessMetrics } from './process-metrics.ts';
import { QuotaMetrics } from './quota-metrics.ts';
import { RouteMetrics } from './route-metrics.ts';
import { pageOf } from './scrape.ts';
import { guardOf, MOST_SERIES } from './series-guard.ts';
import { SocketMetrics } from './socket-metrics.ts';
import { StoreMetrics } from './store-metrics.ts';
import { TargetMetrics } from './target-metrics.ts';
import { TeamLabels } from './team-labels.ts';
import { TokenExchangeMetrics } from './token-exchange-metrics.ts';
import { TrafficMetrics } from './traffic-metrics.ts';
import { UpstreamMetrics } from './upstream-metrics.ts';

const NO_USES: ReadonlyMap<string, boolean> = new Map();

/** The metrics of one gateway process, in a registry of its own. */
export class Metrics {
  readonly registry = new Registry();
  /** What operators see live. */
  readonly flows = new Flows();
  /** Of requests. */
  readonly traffic = new TrafficMetrics(this.registry);
  /** Of attempts at targets. */
  readonly upstreams = new UpstreamMetrics(this.registry, this.flows);
  /** Of the tokens that services get in place of those of callers. */
  readonly tokenExchanges = new TokenExchangeMetrics(this.registry);
  /** Of single targets. */
  readonly targets = new TargetMetrics(this.registry, this.flows);
  /** Of the breakers of targets. */
  readonly breakers = new BreakerMetrics(this.registry);
  /** Of who comes to the operators' listener. */
  readonly admin = new AdminMetrics(this.registry);
  /** Of who may call what. */
  readonly authorization = new AuthorizationMetrics(this.registry);
  /** Of what is refused for want of capacity. */
  readonly overload = new OverloadMetrics(this.registry);
  /** Of what callers may use. */
  readonly quotas = new QuotaMetrics(this.registry);
  /** Of sections of views, and calls of modules. */
  readonly compositions = new CompositionMetrics(this.registry, this.flows);
  /** Of the configuration in force, and its certificates. */
  readonly config = new ConfigMetrics(this.registry);
  /** Whose routes and upstreams are. */
  readonly teams = new TeamLabels();
  /** What has changed lately, which explains what the figures show. */
  readonly changes = new Changes();
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
  readonly #routes = new Map<string, RouteMetrics>();
  #store: StoreMetrics | undefined = undefined;
  readonly #sockets = new SocketMetrics(this.registry);
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
  /** How late the event loop is. */
  readonly loop = new LoopMetrics(this.registry);
  readonly #pages = new Map<MetricsFormat, Promise<Buffer>>();

  /** @param mostSeries how many lines of a scrape each metric may have. */
  constructor(mostSeries = MOST_SERIES) {
    guardOf(this.registry).most = mostSeries;
    this.targets.whenGone = (upstream, target) => this.upstreams.targetGone(upstream, target);
    this.#refusedConnections = new Counter({
      name: 'gatehouse_connections_refused_total',
      help: 'Connections of clients that were closed at once, because their address had as many as it may.',
      registers: [this.registry],
    });
    registerProcessMetrics(this.registry);
  }

  /**
   * What a scrape shows. It is written in slices, between which requests have their turn; who asks while one is being written
   * gets the same.
   */
  page(format: MetricsFormat): Promise<Buffer> {
    const running = this.#pages.get(format);
    if (running !== undefined) return running;
    const all = this.registry.getMetricsAsArray() as unknown as readonly RegisteredMetric[];
    const page = pageOf(all, format, this.teams.labels).finally(() => this.#pages.delete(format));
    this.#pages.set(format, page);
    return page;
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
      this.#routes.set(routeId, (route = new RouteMetrics(routeId, this.flows, this.traffic, this.#sockets)));
    return route;
  }

  /** Shows nothing more of routes that are gone: ids come from files, and a gateway that reloads may see any number. */
  forgetRoutes(ids: ReadonlySet<string>): void {
    if (ids.size === 0) return;
    for (const id of ids) this.#routes.delete(id);
    this.flows.forget('route', ids);
    const all = [
      this.traffic,
      this.#sockets,
      this.#decisions,
      this.quotas,
      this.#calls,
      this.compositions,
      this.#invalid,
      this.idempotency,
      this.overload,
      this.authorization,
    ];
    for (const metrics of all) metrics.forget(ids);
    for (const forget of this.#forgetters) forget(ids);
  }

  /** Shows nothing more of upstreams that are gone. */
  forgetUpstreams(names: ReadonlySet<string>): void {
    if (names.size === 0) return;
    for (const metrics of [this.upstreams, this.breakers, this.tokenExchanges]) metrics.forget(names);
    this.flows.forget('upstream', names);
  }

  /** Tells who counts for routes which of them are gone. */
  onRoutesForgotten(forget: (ids: ReadonlySet<string>) => void): void {
    this.#forgetters.push(forget);
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

  /**
   * Shows whether the store is used: for what, and on the whole. Never said, there is none, and nothing that could look like its
   * failure.
   */
  storeChanged(up: boolean, use: string): void {
    this.#store ??= new StoreMetrics(this.registry);
    this.#store.changed(up, use);
  }

  /** Counts a call to the store that came to nothing. */
  storeFailed(why: 'refused' | 'late', use: string): void {
    this.#store?.failed(why, use);
  }

  /** Whether the store is used now, by what for; empty where there is none. */
  get storeUses(): ReadonlyMap<string, boolean> {
    return this.#store?.uses ?? NO_USES;
  }

  /** Starts to sample the delay of the event loop; a stopped process holds no timer. */
  start(): void {
    this.loop.start();
  }

  /** Stops sampling. */
  stop(): void {
    this.loop.stop();
  }

  #counter(name: string, help: string, labels: readonly string[]): LabelCounter {
    return new LabelCounter({ name: `gatehouse_${name}_total`, help, labels }, this.registry);
  }
}
