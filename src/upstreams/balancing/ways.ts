import type { Target } from '../target.ts';
import { priorityLoads } from './priority-loads.ts';
import { zoneShares } from './zone-shares.ts';

/** What stops a target from being chosen, in bits. */
export const UNHEALTHY = 1;
export const BREAKER_OPEN = 2;
export const FULL = 4;
export const WITHDRAWN = 8;

/** What is to be known of a target before it is chosen: the bits of what stops it, 0 for nothing. */
export function stateOf(target: Target): number {
  return (
    (target.health.available ? 0 : UNHEALTHY) |
    (target.breaker === undefined || target.breaker.available ? 0 : BREAKER_OPEN) |
    (target.isFull ? FULL : 0) |
    (target.isWithdrawn ? WITHDRAWN : 0)
  );
}

/** Targets of one priority and, where zones count, of one zone. */
export interface Group {
  readonly zone: string;
  readonly targets: readonly Target[];
}

/** The groups of one priority. */
export type Level = readonly Group[];

/** Where an exchange may go. */
export interface Way {
  /** Those that can be chosen; none when all are full. */
  readonly targets: readonly Target[];
  /** The others of the group as well. */
  readonly all: readonly Target[];
  /** Which part of the traffic goes this way. */
  readonly share: number;
}

/** Sorts targets by priority, and by zone where that counts. */
export function levelsOf(targets: readonly Target[], byZone: boolean): readonly Level[] {
  const priorities = [...new Set(targets.map(({ priority }) => priority))].sort((a, b) => a - b);
  return priorities.map((priority) => {
    const level = targets.filter((target) => target.priority === priority);
    const zones = byZone ? [...new Set(level.map(({ zone = '' }) => zone))].sort() : [''];
    return zones.map((zone) => ({
      zone,
      targets: zones.length === 1 ? level : level.filter((target) => (target.zone ?? '') === zone),
    }));
  });
}

/** What the ways are made of. */
export interface WayInput {
  readonly levels: readonly Level[];
  /** The state of a target, see {@link stateOf}. */
  readonly stateOf: (target: Target) => number;
  /** Zone of the gateway; undefined where zones mean nothing. */
  readonly local: string | undefined;
  /** Below this healthy share of a priority its health is not believed. */
  readonly panicThreshold: number;
}

/** The ways that are open, in the order in which one stands in for another. Without any, no target can be chosen. */
export function waysOf(input: WayInput): readonly Way[] {
  const { levels } = input;
  const healthy = levels.map((level) => shareOf(level, (target) => isUsable(input.stateOf(target), false)));
  const { loads, served } = priorityLoads(healthy);
  const ways = levels.flatMap((level, index) => {
    const isPanic = served < 100 && believedShare(input, level) < input.panicThreshold;
    return waysOfLevel(input, level, { load: (loads[index] as number) / 100, isPanic });
  });
  return served > 0 ? ways : ways.map((way, index) => ({ ...way, share: index === 0 ? 1 : 0 }));
}

function waysOfLevel(
  { stateOf, local }: WayInput,
  level: Level,
  { load, isPanic }: { readonly load: number; readonly isPanic: boolean },
): readonly Way[] {
  const usable = level.map(({ targets }) => targets.filter((target) => isUsable(stateOf(target), isPanic)));
  const weights = level.map(({ zone }, index) => ({
    zone,
    weight: (usable[index] as Target[]).reduce((sum, { share }) => sum + share, 0),
  }));
  const total = weights.reduce((sum, { weight }) => sum + weight, 0);
  // Whoever doubts what is said of health does not move traffic by it either.
  const shares = local === undefined || isPanic ? undefined : zoneShares(weights, local);
  const ways = level.flatMap(({ targets: all }, index) => {
    const some = usable[index] as Target[];
    if (some.length === 0) return [];
    const part = shares?.[index] ?? (weights[index]?.weight ?? 0) / total;
    const free = some.filter((target) => (stateOf(target) & FULL) === 0);
    return [{ targets: free.length === all.length ? all : free, all, share: load * part }];
  });
  return ways.sort((a, b) => b.share - a.share);
}

function isUsable(state: number, isPanic: boolean): boolean {
  // An open breaker has seen the faults itself: that is believed in a panic, too. So is an operator.
  const stops = BREAKER_OPEN | WITHDRAWN;
  return (state & (isPanic ? stops : stops | UNHEALTHY)) === 0;
}

/** The healthy share of those that nobody has taken out: an order is no sign that health is told wrong. */
function believedShare({ stateOf }: WayInput, level: Level): number {
  const rest = level.map(({ zone, targets }) => ({
    zone,
    targets: targets.filter((target) => (stateOf(target) & WITHDRAWN) === 0),
  }));
  return shareOf(rest, (target) => isUsable(stateOf(target), false));
}

function shareOf(level: Level, isIn: (target: Target) => boolean): number {
  let all = 0;
  let some = 0;
  for (const { targets } of level) {
    all += targets.length;
    for (const target of targets) if (isIn(target)) some += 1;
  }
  return some / all;
}
