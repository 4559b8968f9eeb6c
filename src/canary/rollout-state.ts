/** How a rollout stands: going on, held, with all traffic at the canary, or with none, for good. */
export type RolloutStatus = 'running' | 'paused' | 'promoted' | 'aborted';

/** Where a rollout is; shared by all replicas. */
export interface RolloutState {
  readonly status: RolloutStatus;
  /** Index of the step whose weight holds, from 0. */
  readonly step: number;
  /** Grows with every change. */
  readonly version: number;
  /** Why it is as it is. */
  readonly reason: string;
}

/** One change of a rollout, as it is kept. */
export interface RolloutChange {
  /** Wall clock of who has made it (RFC 3339); for people, never compared. */
  readonly at: string;
  readonly from: RolloutStatus;
  readonly to: RolloutStatus;
  readonly step: number;
  /** Share of the traffic from then on. */
  readonly weight: number;
  readonly reason: string;
  /** Who: the gateway by itself, or an operator. */
  readonly by: 'gateway' | 'operator';
  /** What was measured in the step that ended. */
  readonly canary: { readonly attempts: number; readonly failures: number };
  readonly stable: { readonly attempts: number; readonly failures: number };
}

/** One step of a rollout. */
export interface RolloutStep {
  /** Share of the traffic, from 0 to 1. */
  readonly weight: number;
  /** How long it lasts at least, in ms. */
  readonly forMs: number;
  /** How many attempts at targets of either side there have to be. */
  readonly requests: number;
}

/** Where every rollout begins. */
export const BEGINNING: RolloutState = Object.freeze({
  status: 'running',
  step: 0,
  version: 1,
  reason: 'begun',
});

/**
 * Which of two states holds that came about apart from each other: aborted before paused before the higher step, so that
 * nobody is led on who had stopped.
 */
export function outranks(one: RolloutState, other: RolloutState): boolean {
  const [a, b] = [rankOf(one), rankOf(other)];
  return a === b ? one.step > other.step : a > b;
}

function rankOf({ status }: RolloutState): number {
  return { aborted: 3, paused: 2, promoted: 1, running: 0 }[status];
}

/** Notes a change from one state to another. */
export function changeBetween(
  [from, to]: readonly [RolloutState, RolloutState],
  {
    by,
    weight,
    measured,
  }: Pick<RolloutChange, 'by' | 'weight'> & { readonly measured: Pick<RolloutChange, 'canary' | 'stable'> },
): RolloutChange {
  const { canary, stable } = measured;
  return {
    at: new Date().toISOString(),
    from: from.status,
    to: to.status,
    step: to.step,
    weight,
    reason: to.reason,
    by,
    canary: { attempts: canary.attempts, failures: canary.failures },
    stable: { attempts: stable.attempts, failures: stable.failures },
  };
}
