import { FULL, stateOf } from '../balancing/ways.ts';
import type { Target } from '../target.ts';

/** Above this share of the calls that all targets may have under way, there is no room for calls that are made twice. */
export const MOST_BUSY = 0.8;

/**
 * Who must not be asked beside a target: itself, and those whose breaker waits for a probe. Undefined when nobody is left,
 * when fewer than two can be called, for a second attempt would only hasten the end of the last one, and when more than 80 %
 * of what they may have under way (`maxRequests`, or `maxConnections` of HTTP) is.
 *
 * @param members those that the request may go to.
 */
export function avoidedBeside(members: readonly Target[], asked: Target): Target[] | undefined {
  const avoided = [asked];
  let able = 0;
  let underWay = 0;
  let capacity = 0;
  let isLeft = false;
  for (const target of members) {
    const state = stateOf(target);
    if ((state & ~FULL) !== 0) continue;
    able += 1;
    underWay += target.inFlight;
    // Without a limit it is endless.
    capacity += target.capacity;
    if (target === asked) continue;
    if (target.breaker?.state === 'half-open') avoided.push(target);
    else if (state === 0) isLeft = true;
  }
  return able >= 2 && isLeft && underWay <= capacity * MOST_BUSY ? avoided : undefined;
}
