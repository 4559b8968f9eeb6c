import type { Flows } from '../telemetry/flows.ts';
import { TargetWatch } from '../upstreams/health/target-watch.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import type { Target } from '../upstreams/target.ts';
import type { History } from './history.ts';
import type { TargetRow, UpstreamRow } from './traffic-answers.ts';

/** An upstream as a list shows it. */
export function upstreamRow({ name, targets }: Upstream, flows: Flows, history: History): UpstreamRow {
  const numbers = history.numbers(flows.find('upstream', name));
  const available = targets.filter((one) => one.available).length;
  return {
    upstream: name,
    ...numbers,
    // Nobody can be asked, whether somebody has or not.
    ...(targets.length > 0 && available === 0 && { state: 'failing' as const }),
    targets: targets.length,
    available,
    inFlight: targets.reduce((sum, one) => sum + one.inFlight, 0),
  };
}

/** A target of an upstream. */
export function targetRow(upstream: string, target: Target, flows: Flows, history: History): TargetRow {
  const { host, inFlight, weight, available, health } = target;
  const why = health instanceof TargetWatch ? health.reason : undefined;
  const numbers = history.numbers(flows.find('target', `${upstream} ${host}`));
  return {
    target: host,
    ...numbers,
    ...(!available && { state: 'failing' as const }),
    inFlight,
    weight,
    available,
    why: why ?? (available ? null : 'not available'),
  };
}
