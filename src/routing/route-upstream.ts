import { isIn, type Subset } from '../exchange/subset.ts';
import { hedgeFault, type HedgePolicy } from '../upstreams/hedging/hedge-policy.ts';
import { compileRetry, retryFaults, type RetryPolicy } from '../upstreams/retry-policy.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import type { RouteAction } from './route-action.ts';
import { RouteFault } from './route-fault.ts';
import type { RouteDefinition } from './route.ts';

/** How a route tries again, where it says so itself. */
export function retryOf(
  definition: RouteDefinition,
  upstream: Upstream | undefined,
): RetryPolicy | undefined {
  const { retry } = definition;
  if (retry === undefined || upstream === undefined) return undefined;
  const { protocol } = upstream.options;
  const [fault] = retryFaults(protocol, retry.on);
  if (fault !== undefined) throw new RouteFault(definition, ['retry', 'on', fault.index], fault.message);
  return compileRetry(protocol, upstream.options.retry, retry);
}

/** Where the targets are known beforehand, a subset that none of them is in is a mistake. */
export function checkedSubset(
  definition: RouteDefinition,
  upstream: Upstream | undefined,
): Subset | undefined {
  const { subset } = definition;
  if (subset === undefined || upstream === undefined) return subset;
  const { discovery, targets } = upstream.options;
  if (discovery !== undefined || targets.some(({ labels }) => isIn(subset, labels))) return subset;
  throw new RouteFault(
    definition,
    ['subset'],
    `no target of the upstream "${upstream.name}" has these labels`,
  );
}

/** When a route asks a second target, where it says so itself. */
export function hedgeOf(
  definition: RouteDefinition,
  upstream: Upstream | undefined,
  { isOpaque }: RouteAction,
): HedgePolicy | null | undefined {
  const { hedge } = definition;
  if (hedge === undefined || upstream === undefined) return undefined;
  if (hedge === 'off') return null;
  if (isOpaque === true) {
    const message =
      'has no effect: calls of this route are passed on while they come, and cannot be made twice';
    throw new RouteFault(definition, ['hedge'], message);
  }
  const fault = hedgeFault(hedge, upstream.options.timeouts.firstByte);
  if (fault !== undefined) throw new RouteFault(definition, ['hedge', 'delay'], fault);
  return upstream.hedgePolicy(hedge);
}
