import type { Translate } from '../plugin.ts';
import { translateCors } from './cors.ts';
import { translateRequestTransformer, translateResponseTransformer } from './transformers.ts';
import { translateIpRestriction } from './ip-restriction.ts';
import { translateProxyCache } from './proxy-cache.ts';
import { translateRateLimiting } from './rate-limiting.ts';
import { translateSizeLimiting } from './size-limiting.ts';

/** Plugins that become policies, besides those that say who may call. */
export const TRANSLATIONS: ReadonlyMap<string, Translate> = new Map([
  ['cors', translateCors],
  ['ip-restriction', translateIpRestriction],
  ['proxy-cache', translateProxyCache],
  ['rate-limiting', translateRateLimiting],
  ['request-size-limiting', translateSizeLimiting],
  ['request-transformer', translateRequestTransformer],
  ['response-transformer', translateResponseTransformer],
]);

/** Plugins that say who may call; they are looked at together. */
export const GUARDS: ReadonlySet<string> = new Set(['jwt', 'key-auth', 'acl']);

/** Plugins that keep nobody out, so that a route is not less guarded without them; with what there is in their place. */
export const HARMLESS: ReadonlyMap<string, string> = new Map([
  ['aws-lambda', 'functions are reached over HTTP, as an upstream'],
  ['correlation-id', 'every request has an X-Request-Id'],
  ['datadog', "metrics are at /metrics of the operators' listener"],
  ['file-log', 'the access line goes to standard output'],
  ['grpc-gateway', 'a route with `grpc` translates by the annotations of the service'],
  ['grpc-web', 'a route with `passGrpc` takes calls of gRPC-Web'],
  ['http-log', 'the access line goes to standard output'],
  ['loggly', 'the access line goes to standard output'],
  ['opentelemetry', 'trace context is passed on as it is'],
  ['prometheus', "metrics are at /metrics of the operators' listener"],
  ['proxy-cache-advanced', 'use the policy `cache`'],
  ['rate-limiting-advanced', 'use the policy `rateLimit`'],
  ['request-transformer-advanced', 'use the policy `transform`'],
  ['response-ratelimiting', 'services charge a limit by `cost.answerHeader` of the policy `rateLimit`'],
  ['response-transformer-advanced', 'use the policy `transform`'],
  ['statsd', "metrics are at /metrics of the operators' listener"],
  ['syslog', 'the access line goes to standard output'],
  ['tcp-log', 'the access line goes to standard output'],
  ['udp-log', 'the access line goes to standard output'],
  ['zipkin', 'trace context is passed on as it is'],
]);
