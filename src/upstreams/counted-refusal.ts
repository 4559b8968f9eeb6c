import type { Exchange } from '../exchange/exchange.ts';
import { isOverload } from '../problems/overload.ts';
import type { Problem } from '../problems/problem.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Waiter } from './balancing/target-queue.ts';
import type { Lease } from './lease.ts';
import type { Upstream } from './upstream.ts';

const NO_ROUTE = '(none)';

/** Counts a call that was refused because the targets have as many as they may; any other problem is counted elsewhere. */
export function countRefusal(
  problem: Problem,
  { route }: Exchange,
  upstream: string,
  metrics: Metrics,
): Problem {
  if (isOverload(problem)) metrics.overload.refused(route?.id ?? NO_ROUTE, problem.code, upstream);
  return problem;
}

/** Takes the right to call a target, or waits for it, and counts a refusal. @throws {Problem} as `leaseOrWait` does. */
export function countedLease(upstream: Upstream, waiter: Waiter, metrics: Metrics): Lease | undefined {
  try {
    return upstream.leaseOrWait(waiter);
  } catch (problem) {
    throw countRefusal(problem as Problem, waiter.exchange, upstream.name, metrics);
  }
}
