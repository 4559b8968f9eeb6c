import { isIn } from '../exchange/subset.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import type { ForeseenSide } from '../routing/foreseen.ts';
import type { Target } from '../upstreams/target.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import type { ExplainedTarget, ExplainedUpstream } from './explanation.ts';

/**
 * Tells whose turn it would be, and what speaks against the others.
 *
 * @param side of a canary that the exchange is on, when the upstream is that of its side.
 */
export function explainUpstream(
  upstream: Upstream,
  exchange: Exchange,
  side?: ForeseenSide,
): ExplainedUpstream {
  const picked = upstream.peek(exchange);
  const { balancing } = upstream.options;
  const said = typeof balancing === 'string' ? balancing : JSON.stringify(balancing);
  const fits = fitting(upstream, exchange);
  const available = upstream.targets.filter((target) => target.available && fits(target)).length;
  const whyOf = (target: Target): string => {
    if (!target.available && target === picked)
      return `${whyUnavailable(target)}; asked all the same, for too few are available`;
    if (!target.available) return whyUnavailable(target);
    if (picked !== undefined && target.priority > picked.priority)
      return `of priority ${target.priority}, for when none before it is available`;
    if (!fits(target)) return 'not in the subset of the route';
    if (target === picked) return available === 1 ? 'the only one that is available' : `its turn, by ${said}`;
    return picked === undefined
      ? `available; ${said} leaves it to chance`
      : `available; not its turn, by ${said}`;
  };
  const targets = upstream.targets.map((target): ExplainedTarget => ({
    target: target.host,
    isPicked: target === picked,
    why: whyOf(target),
  }));
  const others = (side?.others ?? []).map(({ host }) => ({
    target: host,
    isPicked: false,
    why: `on the ${side?.name === 'canary' ? 'stable' : 'canary'} side`,
  }));
  return { name: upstream.name, balancing: said, load: loadOf(upstream), targets: [...targets, ...others] };
}

function loadOf({ options: { maxInFlight }, calls: { count } }: Upstream): string | undefined {
  if (maxInFlight === undefined) return undefined;
  const isFull = count >= maxInFlight;
  return `${count} of ${maxInFlight} calls under way${isFull ? '; it would have to wait for its turn' : ''}`;
}

/** Whether nobody can be asked, and no wait would change that; the problem that it ends with is told. */
export function nobodyAt(upstream: Upstream, exchange: Exchange): Problem | undefined {
  if (upstream.peek(exchange) !== undefined) return undefined;
  const fits = fitting(upstream, exchange);
  if (upstream.targets.some((one) => fits(one) && (one.available || (one.isFull && !one.isWithdrawn))))
    return undefined;
  return upstream.refusal() ?? new Problem('no-available-target');
}

/** Which targets the route of an exchange may go to. */
function fitting({ name, targets }: Upstream, { subset: own, route }: Exchange): (target: Target) => boolean {
  const subset = own ?? (route?.upstream === name ? route.subset : undefined);
  if (subset === undefined) return () => true;
  const isSubset = ({ labels }: Target): boolean => isIn(subset, labels);
  const isLeft = subset.fallback === 'any' && !targets.some((one) => one.available && isSubset(one));
  return isLeft ? () => true : isSubset;
}

function whyUnavailable({ breaker, health, isFull, isWithdrawn, inFlight }: Target): string {
  const reasons: string[] = [];
  if (isWithdrawn) reasons.push('taken out by an operator');
  if (!health.available) reasons.push('not healthy, or ejected');
  if (breaker?.available === false) {
    const seconds = Math.ceil(breaker.openForMs / 1000);
    reasons.push(
      breaker.state === 'open' ? `its breaker is open for another ${seconds}s` : 'its breaker is probing',
    );
  }
  if (isFull) reasons.push(`full: ${inFlight} requests are under way`);
  return reasons.join('; ') || 'not available';
}
