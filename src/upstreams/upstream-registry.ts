import { Pool } from 'undici';
import { Breaker } from '../policies/circuit-breaker/breaker.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { ConnectionSlots } from './connection-slots.ts';
import { UNARY_FIELDS } from './grpc/unary-wire.ts';
import { Http1Pool, type Http1PoolOptions } from './http1/http1-pool.ts';
import { Http2Pool } from './http2/http2-pool.ts';
import { Target } from './target.ts';
import type { TargetOptions, UpstreamOptions } from './upstream.schema.ts';
import { Upstream } from './upstream.ts';

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
        target.http1?.close();
        target.http2?.close();
        if (target.pool !== undefined) closing.push(target.pool.destroy());
      }
    }
    await Promise.all(closing);
  }

  #createTarget(upstream: string, options: UpstreamOptions, target: TargetOptions): Target {
    const isHttp = options.protocol === 'http';
    return new Target(target, {
      pool: isHttp ? createPool(target.url, options) : undefined,
      slots: isHttp ? new ConnectionSlots(options.maxConnections, options.timeouts.queue) : undefined,
      http1: isHttp ? new Http1Pool(socketOf(target.url, options)) : undefined,
      http2: isHttp ? undefined : new Http2Pool({ ...socketOf(target.url, options), fields: UNARY_FIELDS }),
      compression: options.compression,
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

/** Where a target is reached for calls, which do not go over undici. */
function socketOf(origin: string, { maxConnections, timeouts }: UpstreamOptions): Http1PoolOptions {
  const { hostname, port, protocol } = new URL(origin.replace(/^grpc/, 'http'));
  const secure = protocol === 'https:';
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || (secure ? 443 : 80)),
    secure,
    maxConnections,
    connectTimeoutMs: timeouts.connect,
    queueTimeoutMs: timeouts.queue,
  };
}
