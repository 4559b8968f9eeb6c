import { Breaker } from '../policies/circuit-breaker/breaker.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { UNARY_FIELDS } from './grpc/unary-wire.ts';
import { Http1Pool, type Http1PoolOptions } from './transport/http1/http1-pool.ts';
import { Http2Pool } from './transport/http2/http2-pool.ts';
import { Target } from './target.ts';
import type { TargetOptions, UpstreamOptions } from './upstream.schema.ts';

/** What an upstream may change while its targets go on as they are. */
const NOT_OF_TARGETS: ReadonlySet<string> = new Set([
  'targets',
  'balancing',
  'retry',
  'passHeaders',
  'host',
  'forwarded',
  'via',
  'policies',
  'descriptorSet',
  'proto',
  'reflection',
]);

/**
 * What connections, breaker and counters of a target depend on, as text. An option that nobody has thought of here makes
 * a new target: that costs connections, the other way round would ignore the option.
 */
export function targetKey(options: UpstreamOptions, { url }: TargetOptions): string {
  const mine = Object.entries(options).filter(([name]) => !NOT_OF_TARGETS.has(name));
  return JSON.stringify([url, ...mine.sort(([a], [b]) => (a < b ? -1 : 1))]);
}

/** Makes a target with all that belongs to it; connections are opened by the first calls. */
export function createTarget(
  upstream: string,
  options: UpstreamOptions,
  target: TargetOptions,
  [logger, metrics]: readonly [Logger, Metrics],
): Target {
  const isHttp = options.protocol === 'http';
  const created = new Target(target, {
    key: targetKey(options, target),
    http1: isHttp ? new Http1Pool(socketOf(target.url, options)) : undefined,
    http2: isHttp ? undefined : new Http2Pool({ ...socketOf(target.url, options), fields: UNARY_FIELDS }),
    compression: options.compression,
    breaker: createBreaker(upstream, options, target, [logger, metrics]),
  });
  if (created.breaker !== undefined) {
    metrics.breakerMade(upstream, created.host);
    created.onEnd(() => metrics.breakerEnded(upstream, created.host));
  }
  return created;
}

function createBreaker(
  upstream: string,
  options: UpstreamOptions,
  { url }: TargetOptions,
  [logger, metrics]: readonly [Logger, Metrics],
): Breaker | undefined {
  if (options.circuitBreaker === 'off') return undefined;
  const host = url.replace(/\/$/, '').split('://')[1] ?? url;
  return new Breaker(options.circuitBreaker, (state) => {
    metrics.breakerChanged(upstream, host, state);
    logger.warn({ upstream, target: host, breaker: state }, `breaker ${state}`);
  });
}

/** Where and how a target is reached. */
function socketOf(
  origin: string,
  { maxConnections, maxResponseHead, timeouts }: UpstreamOptions,
): Http1PoolOptions {
  const { hostname, port, protocol } = new URL(origin.replace(/^grpc/, 'http'));
  const secure = protocol === 'https:';
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || (secure ? 443 : 80)),
    secure,
    maxConnections,
    connectTimeoutMs: timeouts.connect,
    queueTimeoutMs: timeouts.queue,
    maxHeadBytes: maxResponseHead,
  };
}
