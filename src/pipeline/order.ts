import { AuthenticationStageFactory } from '../policies/authentication/authentication.stage.ts';
import { AuthorizationStageFactory } from '../policies/authorization/authorization.stage.ts';
import { BodyLimitStageFactory } from '../policies/body-limit/body-limit.stage.ts';
import { CacheStageFactory } from '../policies/cache/cache.stage.ts';
import { CircuitBreakerStageFactory } from '../policies/circuit-breaker/circuit-breaker.stage.ts';
import { DeadlineStageFactory } from '../policies/deadline/deadline.stage.ts';
import { RateLimitStageFactory } from '../policies/rate-limit/rate-limit.stage.ts';
import { TransformStageFactory } from '../policies/transform/transform.stage.ts';

/**
 * THE ORDER: what one request meets, first to last. Start reading here.
 *
 *  0  open        open.hook.ts                  id, trace, client address, flood limit      400 429
 *  1  match       routing/route-table.ts        route, params                               404 405
 *  2–8            the stages below, as far as the route declares them
 *  9  validate    policies/validation         the parameters of a handler              400
 * 10  handle      proxy/proxy.handler.ts · a controller · a resolver
 * 11  balance,    upstreams/upstream.ts         target                                      503
 *     forward     upstreams/http · /grpc        attempts                                    502 503 504
 * 12  transform ↑ proxy/answer-writer.ts · transform.interceptor.ts                         502
 * 13  problem     problems/render-problem.ts    renders whatever was thrown
 * 14  close       close.hook.ts                 one access line, metrics
 *
 * Door 1 runs the stages of its route in a plain loop (`enterStages`) and lets the action read the body. Door 2 enters
 * the same stage objects in a hook before Fastify reads the body (handler-admission.ts), those that say `afterBody` in a
 * guard behind it, and meets an interceptor only where an answer is edited. The order is fixed: identify comes before the
 * limit, so that nobody burns another's quota, and no route can change it.
 */
export const stageOrder = [
  AuthenticationStageFactory, //   2  identify       principal            401 + WWW-Authenticate, 503
  AuthorizationStageFactory, //    3  authorize                           403
  RateLimitStageFactory, //        4  limit          limit                429 + Retry-After
  BodyLimitStageFactory, //        4  size                                413 408
  DeadlineStageFactory, //         5  deadline       deadlineAt           504 408
  TransformStageFactory, //        6  transform ↓    headerEdits
  CacheStageFactory, //            7  cache          cached, recording    a stored answer
  CircuitBreakerStageFactory, //   8  break  after the body                503 + Retry-After
] as const;
