import { createHash } from 'node:crypto';
import type { CanaryOptions } from './canary.schema.ts';
import type { RolloutStep } from './rollout-state.ts';
import type { Tolerance } from './verdict.ts';

/** What a rollout is to do, compiled. */
export interface RolloutPlan {
  /** Equal for the same rollout in every process; salt of the buckets, name of what is shared. */
  readonly id: string;
  readonly route: string;
  readonly steps: readonly RolloutStep[];
  /** Whether it goes on to the next step by itself. */
  readonly ramps: boolean;
  /** How much worse the canary may be; undefined: it is never rolled back by itself. */
  readonly tolerance: Tolerance | undefined;
  /** How long a step may take, in ms; then it is held, and said so. */
  readonly progressDeadlineMs: number;
  /** How long after the beginning nothing counts but that more than a half fails, in ms. */
  readonly warmUpMs: number;
}

/**
 * Makes a plan of what a route says. The id is of the route, of where the canary is and of its steps: another one of these is
 * another rollout. A weight without steps is not, so that one that is raised by hand only adds.
 */
export function planOf(route: string, options: CanaryOptions): RolloutPlan {
  const { steps = [], weight, stepTime, stepRequests, tolerance } = options;
  const first =
    weight === undefined && steps.length > 0
      ? []
      : [{ weight: weight ?? 0, for: undefined, requests: undefined }];
  const all = [...first, ...steps].map((one) => ({
    weight: one.weight,
    forMs: one.for ?? stepTime,
    requests: one.requests ?? stepRequests,
  }));
  const ramps = options.steps !== undefined;
  // All traffic at the canary is the end, not a step: there is nothing left to compare it with.
  const kept = ramps && all.length > 1 && all.at(-1)?.weight === 1 ? all.slice(0, -1) : all;
  const name = [route, options.id, options.to, options.upstream, steps, ramps && weight];
  const digest = createHash('sha256').update(JSON.stringify(name)).digest('hex').slice(0, 16);
  const { errors, p95 } = tolerance;
  return {
    id: `${route}:${digest}`,
    route,
    steps: kept,
    ramps,
    tolerance: (options.rollback ?? ramps) ? { errors, p95: p95 === 'off' ? undefined : p95 } : undefined,
    progressDeadlineMs: options.progressDeadline,
    warmUpMs: options.warmUp,
  };
}
