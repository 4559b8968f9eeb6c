import { Pool } from 'undici';
import { Breaker } from '../policies/circuit-breaker/breaker.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { Target } from './target.ts';
import type { TargetOptions, UpstreamOptions } from './upstream.schema.ts';
import { Upstream } from './upstream.ts';

/** What most servers of gRPC allow; one that allows less says so when the connection opens. */
const STREAMS_PER_CONNECTION = 100;
/** A connection that died silently is noticed after this time even if no deadline says so. */
const GRPC_PING_MS = 60_000;

/** The upstreams of one snapshot; owns their pools and breakers. */
export class UpstreamRegistry {
  readonly #upstreams = new Map<string, Upstream>();
  readonly #logger: Logger;
  readonly #metrics: Metrics;

  constructor(options: Readonly<Record<string, UpstreamOptions>>, logger: Logger, metrics: Metrics) {
    this.#logger = logger;
    this.#metrics = metrics;
    for (const [name, one] of Object.entries(options)) {
      const targets = one.targets.map((target) => this.#createTarget(name, one, target));
      this.#upstreams.set(name, new Upstream(name, one, targets));
    }
  }

  /** @throws {Error} when there is no upstream of that name; the compiler has checked every route. */
  get(name: string): Upstream {
    const upstream = this.#upstreams.get(name);
    if (upstream === undefined) throw new Error(`there is no upstream "${name}"`);
    return upstream;
  }

  /** Whether there is an upstream of that name. */
  has(name: string): boolean {
    return this.#upstreams.has(name);
  }

  /** All upstreams, in the order of the configuration. */
  all(): readonly Upstream[] {
    return [...this.#upstreams.values()];
  }

  /** Ends breakers and connections; calls under way are cut. */
  async close(): Promise<void> {
    const closing: Promise<void>[] = [];
    for (const upstream of this.#upstreams.values()) {
      for (const target of upstream.targets) {
        target.breaker?.shutdown();
        if (target.pool !== undefined) closing.push(target.pool.destroy());
      }
    }
    await Promise.all(closing);
  }

  #createTarget(upstream: string, options: UpstreamOptions, target: TargetOptions): Target {
    return new Target(target, {
      pool:
        options.protocol === 'http' ? createPool(target.url, options) : createGrpcPool(target.url, options),
      breaker: this.#createBreaker(upstream, options, target),
    });
  }

  #createBreaker(upstream: string, options: UpstreamOptions, target: TargetOptions): Breaker | undefined {
    if (options.circuitBreaker === 'off') return undefined;
    const host = target.url.split('://')[1] ?? target.url;
    this.#metrics.breakerChanged(upstream, host, 'closed');
    return new Breaker(options.circuitBreaker, (state) => {
      this.#metrics.breakerChanged(upstream, host, state);
      this.#logger.warn({ upstream, target: host, breaker: state }, `breaker ${state}`);
    });
  }
}

function createPool(origin: string, options: UpstreamOptions): Pool {
  return new Pool(origin, {
    connections: options.maxConnections,
    pipelining: 1,
    connect: { timeout: options.timeouts.connect },
    headersTimeout: options.timeouts.firstByte,
    bodyTimeout: options.timeouts.idle,
  });
}

/** Connections for calls with one message each way. A second one opens when the streams of the first are all in use. */
function createGrpcPool(origin: string, { maxConnections, timeouts }: UpstreamOptions): Pool {
  const isClear = !origin.startsWith('grpcs:');
  // The pool itself reads this option too, though its type lacks it: while the first connection opens, calls wait
  // for it instead of opening one each.
  const options: Pool.Options & { readonly useH2c: boolean } = {
    useH2c: isClear,
    connections: maxConnections,
    connect: { timeout: timeouts.connect },
    // Every call has a deadline of its own, and no timer beside it.
    headersTimeout: 0,
    bodyTimeout: 0,
    h2Options: {
      useH2c: isClear,
      maxConcurrentStreams: STREAMS_PER_CONNECTION,
      // Servers close connections that are pinged while they are idle: an idle one is closed before its second ping.
      pingInterval: GRPC_PING_MS,
    },
    keepAliveTimeout: 2 * GRPC_PING_MS - 1000,
  };
  return new Pool(origin.replace(/^grpc/, 'http'), options);
}
