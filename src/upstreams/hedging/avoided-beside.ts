import type { Target } from '../target.ts';
import type { Upstream } from '../upstream.ts';

/**
 * Who must not be asked beside a target: itself, and those whose breaker waits for a probe. Undefined when nobody is left,
 * or fewer than two are available: a second attempt would only hasten the end of the last one.
 */
export function avoidedBeside({ targets }: Upstream, asked: Target): Target[] | undefined {
  const avoided = [asked];
  let available = 0;
  for (const target of targets) {
    if (!target.available) continue;
    available += 1;
    if (target !== asked && target.breaker?.state === 'half-open') avoided.push(target);
  }
  const isLeft = targets.some((target) => target.available && !avoided.includes(target));
  return available >= 2 && isLeft ? avoided : undefined;
}
