/** A priority is thought to serve everything as long as this share of it is healthy: `1 / 1.4`. */
const OVERPROVISIONING = 140;
const ALL = 100;

/** How the traffic is spread over priorities. */
export interface PriorityLoads {
  /** Whole percents by priority; they add up to 100, or all are 0 when nothing is healthy. */
  readonly loads: readonly number[];
  /** How much of the traffic the healthy ones can serve together, in percent. */
  readonly served: number;
}

/**
 * Spreads traffic over priorities as Envoy does: each takes what it can serve of what those before it leave. What all of
 * them together cannot serve is shared out in proportion.
 *
 * @param healthy the healthy share of each priority, from 0 to 1, the first one for use first.
 */
export function priorityLoads(healthy: readonly number[]): PriorityLoads {
  const able = healthy.map((share) => Math.min(ALL, Math.floor(OVERPROVISIONING * share + 1e-9)));
  const served = Math.min(
    ALL,
    able.reduce((sum, one) => sum + one, 0),
  );
  if (served === 0) return { loads: healthy.map(() => 0), served };
  let left = ALL;
  const loads = able.map((one) => {
    const load = Math.min(left, Math.floor((one * ALL) / served));
    left -= load;
    return load;
  });
  // What rounding left over goes to the first that serves anything.
  const first = able.findIndex((one) => one > 0);
  loads[first] = (loads[first] as number) + left;
  return { loads, served };
}
