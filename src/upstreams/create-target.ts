import { Breaker } from '../policies/circuit-breaker/breaker.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { UNARY_FIELDS } from './grpc/unary-wire.ts';
import { Http1Pool, type Http1PoolOptions } from './transport/http1/http1-pool.ts';
import { Http2Pool } from './transport/http2/http2-pool.ts';
import { TargetTls } from './transport/target-tls.ts';
import { Target } from './target.ts';
import type { TargetMaker } from './target-set.ts';
import type { UpstreamTls } from './tls-files.ts';
import type { TargetOptions, UpstreamOptions } from './upstream.schema.ts';

/** What holds for calls that are passed on: how much of an answer may wait for its client, and what each of them says. */
const STREAMS = { streamWindow: 256 * 1024, fields: ['te', 'trailers'] } as const;

/** What an upstream may change while its targets go on as they are. */
const NOT_OF_TARGETS: ReadonlySet<string> = new Set([
  'targets',
  'discovery',
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
 * What makes the targets of an upstream.
 *
 * @param deps the last one is TLS to the targets, for upstreams that say something about it.
 */
export function targetMaker(
  upstream: string,
  options: UpstreamOptions,
  deps: readonly [Logger, Metrics, UpstreamTls | undefined],
): TargetMaker {
  const shared = sharedKey(options, deps[2]);
  const keyOf = ({ url }: TargetOptions): string => `${url} ${shared}`;
  return {
    shared,
    keyOf,
    make: (target) => createTarget(upstream, options, target, { key: keyOf(target), deps }),
  };
}

/**
 * What connections, breaker and counters of targets depend on, as text, the content of their files included. An option that
 * nobody has thought of here makes new targets: that costs connections, the other way round would ignore the option.
 */
function sharedKey(options: UpstreamOptions, tls: UpstreamTls | undefined): string {
  const mine = Object.entries(options).filter(([name]) => !NOT_OF_TARGETS.has(name));
  return JSON.stringify([tls?.digest, ...mine.sort(([a], [b]) => (a < b ? -1 : 1))]);
}

interface Making {
  readonly key: string;
  readonly deps: readonly [Logger, Metrics, UpstreamTls | undefined];
}

// With all that belongs to it; connections are opened by the first calls.
function createTarget(
  upstream: string,
  options: UpstreamOptions,
  target: TargetOptions,
  { key, deps: [logger, metrics, upstreamTls] }: Making,
): Target {
  const isHttp = options.protocol === 'http';
  const socket = socketOf(target.url, options, upstreamTls);
  const created = new Target(target, {
    key,
    tls: socket.tls,
    http1: isHttp ? new Http1Pool(socket) : undefined,
    http2: isHttp ? undefined : new Http2Pool({ ...socket, fields: UNARY_FIELDS }),
    http2Streams: isHttp ? undefined : new Http2Pool({ ...socket, ...STREAMS }),
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
  tls: UpstreamTls | undefined,
): Http1PoolOptions {
  const { hostname, port, protocol } = new URL(origin.replace(/^grpc/, 'http'));
  const secure = protocol === 'https:';
  const host = hostname.replace(/^\[|\]$/g, '');
  return {
    host,
    port: Number(port || (secure ? 443 : 80)),
    secure,
    tls: secure ? new TargetTls(host, tls) : undefined,
    maxConnections,
    connectTimeoutMs: timeouts.connect,
    queueTimeoutMs: timeouts.queue,
    maxHeadBytes: maxResponseHead,
  };
}
