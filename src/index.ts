/**
 * The package `gatehouse`: what a team's own repository imports. Everything that is exported here, from `gatehouse/config` and
 * from `gatehouse/testing` is kept by semantic versioning; no other file of the package can be imported.
 */
export { createGateway, type GatewayStart } from './embedded-gateway.ts';
export type { Gateway } from './main.ts';
export type { GatewayModule } from './config/gateway-module.ts';
export { ConfigError, type ConfigFault } from './config/config-fault.ts';
export type { Logger } from './telemetry/logger.ts';
export type { Reload } from './snapshot/reloads.ts';

// What a handler is given.
export { CurrentExchange } from './exchange/exchange-of.ts';
export { Exchange } from './exchange/exchange.ts';
export type { Principal } from './exchange/principal.ts';

// Calls to upstreams.
export { Caller } from './calls/caller.ts';
export { CallsModule } from './calls/calls.module.ts';
export { httpUpstream, type HttpCallOptions, type HttpUpstream } from './calls/http-upstream.ts';
export { grpcUpstream, type GrpcUpstream, type UnaryOptions } from './calls/grpc-upstream.ts';
export { grpcRefusalOf, type GrpcRefusal } from './calls/grpc-refusal.ts';
export { isUpstreamFault } from './calls/upstream-fault.ts';
export type { Call, CallContext, DeclaredCall } from './calls/call.ts';
export type { StreamCall } from './calls/stream-call.ts';

// Views: what is composed of several calls, for REST and GraphQL.
export { View, type ViewInput, type ViewValues } from './bff/view.ts';
export { Views, type VariantBody, type ViewBody, type ViewReply } from './bff/views.ts';
export { ViewsModule } from './bff/views.module.ts';
export { kindByHeader } from './bff/view-variants.ts';

// What contracts say of a handler.
export {
  Answers,
  AnswersView,
  UPSTREAM_PROBLEMS,
  type AnswerOptions,
} from './contracts/answers.decorator.ts';
export { Match } from './routing/sources/match.decorator.ts';
export { schemaPipe } from './policies/validation/schema.pipe.ts';

// Refusals of a team's own.
export { Problem, type ProblemOptions } from './problems/problem.ts';

// Policies, as decorators: each takes what its key in the file takes.
export { Authentication, Public } from './policies/authentication/authentication.policy.ts';
export { Authorization, Permissions, Roles, When } from './policies/authorization/authorization.policy.ts';
export { BodyAuthorization } from './policies/body-authorization/body-authorization.policy.ts';
export { BodyIdle } from './policies/body-idle/body-idle.policy.ts';
export { BodyLimit } from './policies/body-limit/body-limit.policy.ts';
export { Cache } from './policies/cache/cache.policy.ts';
export { CallerPriority } from './policies/caller-priority/caller-priority.policy.ts';
export { CircuitBreaker } from './policies/circuit-breaker/circuit-breaker.policy.ts';
export { Compression } from './policies/compression/compression.policy.ts';
export { Concurrency } from './policies/concurrency/concurrency.policy.ts';
export { Cors } from './policies/cors/cors.policy.ts';
export { Deadline } from './policies/deadline/deadline.policy.ts';
export { Deprecation } from './policies/deprecation/deprecation.policy.ts';
export { ExternalAuthorization } from './policies/external-authorization/external-authorization.policy.ts';
export { Fault } from './policies/fault/fault.policy.ts';
export { Idempotency } from './policies/idempotency/idempotency.policy.ts';
export { IpAccess } from './policies/ip-access/ip-access.policy.ts';
export { LoadShedding } from './policies/load-shedding/load-shedding.policy.ts';
export { Quota } from './policies/quota/quota.policy.ts';
export { RateLimit } from './policies/rate-limit/rate-limit.policy.ts';
export { AddSecurityHeaders } from './policies/security-headers/security-headers.policy.ts';
export { ServerTiming } from './policies/server-timing/server-timing.policy.ts';
export { Transform } from './policies/transform/transform.policy.ts';
export { Validation } from './policies/validation/validation.policy.ts';
