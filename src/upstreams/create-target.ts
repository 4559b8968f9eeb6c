import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Watches } from './health/watches.ts';
import type { TargetOverrides } from './overrides/target-overrides.ts';
import { AdaptiveLimit } from './adaptive/adaptive-limit.ts';
import { UNARY_FIELDS } from './grpc/unary-wire.ts';
import { Http1Pool, type Http1PoolOptions } from './transport/http1/http1-pool.ts';
import { Http2Pool } from './transport/http2/http2-pool.ts';
import { TargetTls, type TlsOptions } from './transport/target-tls.ts';
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
  'sticky',
  'subset',
  'subsetFallback',
  'zone',
  'slowStart',
  'panicThreshold',
  'maxInFlight',
  'maxQueued',
  'queueOrder',
  'retry',
  'hedge',
  'deadlineHeader',
  'passHeaders',
  'identity',
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
 * @param deps TLS to the targets, for upstreams that say something about it; and what watches over their health.
 */
export function targetMaker(upstream: string, options: UpstreamOptions, deps: TargetMakerDeps): TargetMaker {
  const shared = sharedKey(options, deps[2]);
  const keyOf = ({ url, serverName = '' }: TargetOptions): string => `${url} ${serverName} ${shared}`;
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

/** See {@link targetMaker}. */
export type TargetMakerDeps = readonly [Logger, Metrics, UpstreamTls | undefined, Watches, TargetOverrides];

interface Making {
  readonly key: string;
  readonly deps: TargetMakerDeps;
}

// With all that belongs to it; connections are opened by the first calls.
function createTarget(
  upstream: string,
  options: UpstreamOptions,
  target: TargetOptions,
  { key, deps: [, metrics, upstreamTls, watches, overrides] }: Making,
): Target {
  const isHttp = options.protocol === 'http';
  const socket = socketOf(target, options, upstreamTls);
  const origin = target.url.replace(/\/$/, '');
  const host = origin.split('://')[1] ?? origin;
  const watch = watches.watch({ upstream, options, origin, host, socket });
  const breaker = watch?.breaker;
  const adaptive = adaptiveOf(options);
  const created = new Target(target, {
    key,
    tls: socket.tls,
    http1: isHttp ? new Http1Pool(socket) : undefined,
    http2: isHttp ? undefined : new Http2Pool({ ...socket, fields: UNARY_FIELDS }),
    http2Streams: isHttp ? undefined : new Http2Pool({ ...socket, ...STREAMS }),
    compression: options.compression,
    capacity: capacityOf(options),
    adaptive,
    breaker,
    health: watch,
  });
  overrides.adopt(upstream, created);
  created.onEnd(metrics.targets.hold(upstream, created));
  if (breaker !== undefined) {
    metrics.breakers.made(upstream, host);
    created.onEnd(() => metrics.breakers.ended(upstream, host));
  }
  if (adaptive !== undefined) created.onEnd(metrics.overload.limitMade({ upstream, host, limit: adaptive }));
  return created;
}

/** Who has no limit of calls is full for others to be preferred, once a call would have to wait for a connection. */
function capacityOf({
  maxRequests,
  maxConnections,
  protocol,
  adaptiveConcurrency,
}: UpstreamOptions): number | undefined {
  // With an adaptive limit nobody is chosen who is full; sockets and streams, which it does not count, do not make it so.
  if (adaptiveConcurrency !== 'off') return maxRequests;
  return maxRequests ?? (protocol === 'http' ? maxConnections : undefined);
}

function adaptiveOf({ adaptiveConcurrency }: UpstreamOptions): AdaptiveLimit | undefined {
  return adaptiveConcurrency === 'off' ? undefined : new AdaptiveLimit(adaptiveConcurrency);
}

/** Where and how a target is reached. */
export function socketOf(
  { url, serverName }: TargetOptions,
  { maxConnections, maxResponseHead, timeouts }: UpstreamOptions,
  tls: UpstreamTls | undefined,
): Http1PoolOptions {
  const { hostname, port, protocol } = new URL(url.replace(/^grpc/, 'http'));
  const secure = protocol === 'https:';
  const host = hostname.replace(/^\[|\]$/g, '');
  return {
    host,
    port: Number(port || (secure ? 443 : 80)),
    secure,
    tls: secure ? new TargetTls(host, namedTls(tls, serverName)) : undefined,
    maxConnections,
    connectTimeoutMs: timeouts.connect,
    queueTimeoutMs: timeouts.queue,
    maxHeadBytes: maxResponseHead,
  };
}

// What the configuration says counts before what a registry says.
function namedTls(tls: UpstreamTls | undefined, serverName: string | undefined): TlsOptions | undefined {
  if (serverName === undefined || tls?.serverName !== undefined) return tls;
  return { verify: true, ...tls, serverName };
}
