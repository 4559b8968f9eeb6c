import { LatencySlices } from './latency-slices.ts';
import type { Measurements } from './measurements.ts';
import type { RolloutPlan } from './rollout-plan.ts';
import type { RolloutState } from './rollout-state.ts';
import { judgeErrors, type Verdict } from './verdict.ts';

/** No more traffic than this goes to a canary of which nothing says that it is good. */
const MOST_UNPROVEN = 0.2;
/** Attempts before it is looked whether a canary that warms up fails altogether. */
const LEAST_WARM = 20;
const PASS: Verdict = Object.freeze({ is: 'pass' });

/** Says what follows for a rollout from what was measured of it. */
export class Judge {
  readonly #seen: Measurements;
  readonly #slices = new LatencySlices();
  #warm = 0;
  #warmFailures = 0;

  constructor(seen: Measurements) {
    this.#seen = seen;
  }

  /** Takes notice that what was measured begins anew, with another step. */
  reset(): void {
    this.#slices.restart();
  }

  /** What a running rollout becomes; undefined: what it is. @param now in ms, as when the step began. */
  next(plan: RolloutPlan, state: RolloutState, now: number, stepAt: number): RolloutState | undefined {
    const verdict = this.#verdict(plan, now);
    if (verdict.is === 'fail') return stopped(state, verdict.reason ?? '');
    return plan.ramps ? this.#stepOn(plan, state, now - stepAt, verdict) : undefined;
  }

  /** Counts an attempt of a canary that warms up; what follows from it, undefined: nothing. */
  warmedUp(state: RolloutState, failed: boolean): RolloutState | undefined {
    this.#warm += 1;
    if (failed) this.#warmFailures += 1;
    const [all, bad] = [this.#warm, this.#warmFailures];
    if (all < LEAST_WARM || bad * 2 <= all) return undefined;
    return stopped(state, `errors: ${bad} of ${all} attempts failed while it warmed up`);
  }

  #verdict({ tolerance }: RolloutPlan, now: number): Verdict {
    if (tolerance === undefined) return PASS;
    const [canary, stable] = [this.#seen.errors('canary'), this.#seen.errors('stable')];
    const errors = judgeErrors(canary, stable, tolerance);
    if (errors.is === 'fail' || tolerance.p95 === undefined) return errors;
    if (!this.#slices.isDue(now, canary.attempts, stable.attempts)) return errors;
    const latency = this.#slices.judge(this.#seen.all(), tolerance.p95, now);
    return latency.is === 'fail' ? latency : errors;
  }

  #stepOn(
    plan: RolloutPlan,
    { step, version }: RolloutState,
    spent: number,
    verdict: Verdict,
  ): RolloutState | undefined {
    const { steps, progressDeadlineMs } = plan;
    const now = steps[step];
    if (now === undefined || spent < now.forMs) return undefined;
    const next = steps[step + 1]?.weight ?? 1;
    const isEnough = (['canary', 'stable'] as const).every(
      (side) => this.#seen.errors(side).attempts >= now.requests,
    );
    const isGood = verdict.is === 'pass' && !this.#slices.isSuspicious;
    if (isEnough && (isGood || next <= MOST_UNPROVEN)) {
      const status = next >= 1 ? 'promoted' : 'running';
      const reason = `step ${step + 1} of ${steps.length} passed`;
      return { status, step: step + 1, version: version + 1, reason };
    }
    // No data is no verdict: neither good nor bad.
    if (spent < progressDeadlineMs) return undefined;
    const reason = `${isEnough ? 'no verdict' : 'too few requests'} within the progress deadline`;
    return { status: 'paused', step, version: version + 1, reason };
  }
}

function stopped({ step, version }: RolloutState, reason: string): RolloutState {
  return { status: 'aborted', step, version: version + 1, reason };
}
