import type { z } from 'zod';
import { authenticationPolicy } from './authentication/authentication.policy.ts';
import { authorizationPolicy } from './authorization/authorization.policy.ts';
import { BODY_IDLE_MS, bodyIdlePolicy } from './body-limit/body-idle.policy.ts';
import { bodyLimitPolicy } from './body-limit/body-limit.policy.ts';
import { cachePolicy } from './cache/cache.policy.ts';
import { circuitBreakerPolicy } from './circuit-breaker/circuit-breaker.policy.ts';
import { DEADLINE_MS, deadlinePolicy } from './deadline/deadline.policy.ts';
import { rateLimitPolicy } from './rate-limit/rate-limit.policy.ts';
import { transformPolicy } from './transform/transform.policy.ts';

/** The closed list of policies: the vocabulary of `policies:` in YAML and of the decorators. */
export const policyRegistry = {
  authentication: authenticationPolicy,
  authorization: authorizationPolicy,
  bodyLimit: bodyLimitPolicy,
  bodyIdle: bodyIdlePolicy,
  rateLimit: rateLimitPolicy,
  deadline: deadlinePolicy,
  transform: transformPolicy,
  cache: cachePolicy,
  circuitBreaker: circuitBreakerPolicy,
} as const;

/** The name of a policy, as it is spelled in YAML. */
export type PolicyName = keyof typeof policyRegistry;

/** The options of the policies that are in force on a route, after merging; an absent one costs nothing. */
export type PolicySet = {
  readonly [Name in PolicyName]?: z.output<(typeof policyRegistry)[Name]['schema']> | undefined;
};

/**
 * What is in force on a route that nobody says anything about. Fails closed: what a client can make wait forever needs
 * an `off` that somebody wrote.
 */
export const undeclaredPolicies: PolicySet = Object.freeze({ deadline: DEADLINE_MS, bodyIdle: BODY_IDLE_MS });
