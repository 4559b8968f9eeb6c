import type { Type } from '@nestjs/common';
import type { z } from 'zod';
import { authentication } from './authentication/authentication.module.ts';
import { authorization } from './authorization/authorization.module.ts';
import { bodyAuthorization } from './body-authorization/body-authorization.stage.ts';
import { bodyIdle } from './body-idle/body-idle.stage.ts';
import { bodyLimit } from './body-limit/body-limit.stage.ts';
import { cache } from './cache/cache.module.ts';
import { callerPriority } from './caller-priority/caller-priority.stage.ts';
import { circuitBreaker } from './circuit-breaker/circuit-breaker.stage.ts';
import { compression } from './compression/compression.stage.ts';
import { concurrency } from './concurrency/concurrency.stage.ts';
import { cors } from './cors/cors.stage.ts';
import { deadline } from './deadline/deadline.stage.ts';
import { deprecation } from './deprecation/deprecation.stage.ts';
import { externalAuthorization } from './external-authorization/external-authorization.stage.ts';
import { idempotency } from './idempotency/idempotency.module.ts';
import { fault } from './fault/fault.stage.ts';
import { ipAccess } from './ip-access/ip-access.stage.ts';
import { loadShedding } from './load-shedding/load-shedding.module.ts';
import type { Policy } from './policy.ts';
import { quota } from './quota/quota.module.ts';
import { rateLimit } from './rate-limit/rate-limit.module.ts';
import { securityHeaders } from './security-headers/security-headers.stage.ts';
import type { StageFactory } from './stage-factory.ts';
import { serverTiming } from './server-timing/server-timing.stage.ts';
import { transform } from './transform/transform.stage.ts';
import { validation } from './validation/validation.stage.ts';

/**
 * THE ORDER: what one request meets, first to last. Start reading here. It is the only place where policies are
 * registered: YAML keys, decorators, seats, listing, contracts and the pages of docs/policies follow from it.
 *
 *  0  open        open.hook.ts                  id, trace, client address, flood limit      400 429
 *  1  match       routing/route-table.ts        route, params                               404 405
 *  2  policies    the list below, as far as the route declares them
 *  3  validate    policies/validation           the parameters of a handler                 400
 *  4  handle      proxy/proxy.handler.ts · a controller · a resolver
 *  5  balance,    upstreams/upstream.ts         target                                      503
 *     forward     upstreams/http · /grpc        attempts                                    502 503 504
 *  6  transform ↑ proxy/answer-writer.ts · pipeline/answer-edits.ts                         502
 *  7  problem     problems/render-problem.ts    renders whatever was thrown
 *  8  close       close.hook.ts                 one access line, metrics
 *
 * Door 1 runs the stages of its route in a plain loop (`enterStages`) and lets the action read the body. Door 2 enters
 * the same stage objects in a hook before Fastify reads the body (handler-admission.ts), those that come before the
 * action in a guard behind it, and meets an interceptor only where an answer is edited. Which stage is entered where
 * follows from the facts of its policy (seats.ts). The order is fixed: who calls is known before the limit, so that
 * nobody burns another's quota, and no route can change it.
 */
export const order = [
  serverTiming, //     timings of all that follow
  securityHeaders, //  the last word about heads
  ipAccess, //         address                             403
  cors, //             cors                                a preflight's answer
  // Cheapest first: before a signature is checked. After cors, so that a page may read it.
  loadShedding, //     load                                503 + Retry-After
  authentication, //   identify       principal            401 + WWW-Authenticate, 503
  authorization, //    authorize                           403
  // Who is refused for the load of the gateway pays nothing: no token, no body.
  callerPriority, //   load                                503 + Retry-After
  deprecation, //      deprecation                         410
  rateLimit, //        limit          limit                429 + Retry-After
  // Behind the limit, so that what is refused for its rate uses up nothing of a day or a month.
  quota, //            quota          quotas               429 + Retry-After
  bodyLimit, //        size                                413
  bodyIdle, //         size                                408
  deadline, //         deadline       deadlineAt           504 408
  externalAuthorization, // ask          vouched            403 503, or as it is refused
  compression, //      compression ↑
  transform, //        transform ↓ ↑  headerEdits          502
  cache, //            cache          cached, recording    a stored answer, 504
  bodyAuthorization, // authorize     heldBody             403 400 415 413
  // After all that says whether the caller may, so that nobody is told an answer who could not ask for it now; and before
  // what an answer that was given before needs nobody for: a service that fails now, or is tested for that. It comes after
  // limits, though one that is tried again is charged again: keys and bodies are looked at, which is what limits protect.
  idempotency, //      idempotency    keeper, isReplayed   an earlier answer, 400 409 422 503
  // A stored answer needs no place; a place includes the delays of faults; and a breaker never hears that there was none.
  concurrency, //      concurrency                         503 + Retry-After
  fault, //            break                               503, on purpose
  circuitBreaker, //   break                               503 + Retry-After
  validation, //       validate       heldBody             400 415 413
] as const;

/** What the folder of a policy registers. */
export interface PolicySeat {
  readonly policy: Policy;
  /** Makes its stages; provided by the module, if there is one. */
  readonly factory: Type<StageFactory>;
  /** Provides what the factory needs. */
  readonly module?: Type;
  /** Seats the stage in front of code-first handlers that were not admitted by a hook. */
  readonly guard?: Type;
}

/** The same list, for who goes by the facts of policies only. */
export const seatOrder: readonly PolicySeat[] = order;

type Known = (typeof order)[number]['policy'];

/** The closed list of policies: the vocabulary of `policies:` in YAML and of the decorators. */
export const policyRegistry = Object.fromEntries(
  order.map(({ policy }) => [policy.name, policy]),
) as unknown as { readonly [Each in Known as Each['name']]: Each };

/** All policies, in the order in which a request meets them. */
export const policyList: readonly Policy[] = order.map(({ policy }) => policy);

/** The name of a policy, as it is spelled in YAML. */
export type PolicyName = Known['name'];

/** The options of the policies that are in force on a route, after merging; an absent one costs nothing. */
export type PolicySet = {
  readonly [Each in Known as Each['name']]?: z.output<Each['schema']> | undefined;
};

/**
 * What is in force on a route that nobody says anything about. Fails closed: what a client can make wait forever needs
 * an `off` that somebody wrote.
 */
export const undeclaredPolicies = Object.freeze(
  Object.fromEntries(
    policyList.flatMap(({ name, undeclared }) => (undeclared === undefined ? [] : [[name, undeclared]])),
  ),
) as PolicySet;
