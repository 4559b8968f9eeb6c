import type { Exchange } from '../exchange/exchange.ts';
import type { Target } from '../upstreams/target.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import type { ExplainedTarget, ExplainedUpstream } from './explanation.ts';

/** Tells whose turn it would be, and what speaks against the others. */
export function explainUpstream(upstream: Upstream, exchange: Exchange): ExplainedUpstream {
  const picked = upstream.peek(exchange);
  const available = upstream.targets.filter((target) => target.available).length;
  const { balancing } = upstream.options;
  const said = typeof balancing === 'string' ? balancing : JSON.stringify(balancing);
  const whyOf = (target: Target): string => {
    if (!target.available) return whyUnavailable(target);
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
  return { name: upstream.name, balancing: said, targets };
}

function whyUnavailable({ breaker, health }: Target): string {
  const reasons: string[] = [];
  if (!health.available) reasons.push('not healthy, or ejected');
  if (breaker?.available === false) {
    const seconds = Math.ceil(breaker.openForMs / 1000);
    reasons.push(
      breaker.state === 'open' ? `its breaker is open for another ${seconds}s` : 'its breaker is probing',
    );
  }
  return reasons.join('; ') || 'not available';
}
