import { Lease } from '../lease.ts';
import { Target, type TargetDeps, type TargetHealth } from '../target.ts';
import type { TargetOptions } from '../upstream.schema.ts';
import type { Balancer } from './balancer.ts';

/** A target that nobody can reach, called by a letter or a word. */
export function targetOf(name: string, options: Partial<TargetOptions> = {}, deps: TargetDeps = {}): Target {
  return new Target({ url: `http://${name}:80`, weight: 1, labels: {}, priority: 0, ...options }, deps);
}

/** What says whether a target is healthy, to be changed by a test. */
export interface Switch extends TargetHealth {
  available: boolean;
}

/** A target whose health a test switches. */
export function switchedOf(name: string, options: Partial<TargetOptions> = {}): [Target, Switch] {
  const health = { available: true };
  return [targetOf(name, options, { health }), health];
}

/** What a target is called. */
export const nameOf = ({ host }: Target): string => host.slice(0, -3);

/** Whom a balancer chooses, time after time. */
export function choices(balancer: Balancer, targets: readonly Target[], times: number): string[] {
  return Array.from({ length: times }, () => nameOf(balancer.choose(targets)));
}

/** How often each is there. */
export function countsOf(names: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** So many calls under way. */
export function busy(target: Target, calls: number): readonly Lease[] {
  return Array.from({ length: calls }, () => new Lease(target));
}

/** Most that a share of so many draws differs from what it should be, with a probability below 0.001. */
export function marginOf(share: number, draws: number): number {
  return 3.3 * Math.sqrt((share * (1 - share)) / draws);
}
