import {
  BEGINNING,
  changeBetween,
  outranks,
  type RolloutChange,
  type RolloutState,
  type RolloutStatus,
  type RolloutStep,
} from './rollout-state.ts';
import type { RolloutStore, Synced } from './rollout-store.ts';
import { SideTally, Tally, type SideName } from './tally.ts';
import { judgeErrors, LatencyLooks, type Tolerance, type Verdict } from './verdict.ts';

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

/** What a rollout works with. */
export interface RolloutDeps {
  /** A clock in ms that never jumps. */
  readonly now: () => number;
  /** What replicas share; undefined: this process is alone. */
  readonly store: RolloutStore | undefined;
  /** Hears of every change that this process makes, and of those that it hears of. */
  readonly changed: (rollout: Rollout, change: RolloutChange, isOwn: boolean) => void;
}

/** No more traffic than this goes to a canary of which nothing says that it is good. */
const MOST_UNPROVEN = 0.2;
/** Attempts before it is looked whether a canary that warms up fails altogether. */
const LEAST_WARM = 20;
const MAX_CHANGES = 50;
/** Attempts between two looks at whether a step is over; failures are looked at one by one. */
const LOOK_EVERY = 16;

/** What came of an operator's wish. */
export type Wish = 'done' | 'refused' | 'unreachable';

/**
 * One rollout of one route: how much of the traffic the canary gets, what was measured of it, and what follows from that.
 * Outlives configurations as long as its id is the same.
 */
export class Rollout {
  /** Share of the traffic that goes to the canary, from 0 to 1. */
  weight: number;
  plan: RolloutPlan;
  #state: RolloutState = BEGINNING;
  readonly #deps: RolloutDeps;
  readonly #changes: RolloutChange[] = [];
  readonly #looks = new LatencyLooks();
  #stepAt: number;
  readonly #beganAt: number;
  readonly #warm = new SideTally();
  /** What all replicas have told of this step, and what this one has not told yet. */
  #told = new Tally();
  #untold = new Tally();
  #sinceLook = 0;
  /** Whether the state came about while others could not be told. */
  #isApart = false;
  #isSyncing = false;
  /** Whether a change of its own is under way. */
  #isChanging = false;

  constructor(plan: RolloutPlan, deps: RolloutDeps) {
    this.plan = plan;
    this.#deps = deps;
    this.weight = plan.steps[0]?.weight ?? 0;
    this.#stepAt = this.#beganAt = deps.now();
  }

  get state(): RolloutState {
    return this.#state;
  }

  /** The last changes, newest first. */
  get changes(): readonly RolloutChange[] {
    return this.#changes;
  }

  /** Whether nothing can happen any more but by an operator. */
  get isSettled(): boolean {
    return this.#state.status === 'promoted' || this.#state.status === 'aborted';
  }

  /** Takes over what may change while the rollout is the same. */
  replan(plan: RolloutPlan): void {
    this.plan = plan;
    this.weight = this.#weightOf(this.#state);
  }

  /** Counts an attempt at a target of a side; nothing of it when it says nothing about the target. */
  settled(side: SideName, failed: boolean, durationMs: number): void {
    if (this.isSettled) return;
    if (this.#deps.now() - this.#beganAt < this.plan.warmUpMs) return this.#warmedUp(side, failed);
    this.#untold[side].count(failed, durationMs);
    // What happens at the stable side only matters once the canary does something.
    if (side === 'stable') return;
    this.#sinceLook += 1;
    if (failed || this.#sinceLook >= LOOK_EVERY) this.judge();
  }

  /** Counts an answer as failed that broke off after it was counted. */
  broke(side: SideName): void {
    if (this.isSettled || this.#untold[side].attempts + this.#told[side].attempts === 0) return;
    this.#untold[side].correct();
    this.judge();
  }

  /** What was measured in this step. */
  measured(): Tally {
    const all = new Tally();
    all.add(this.#told);
    all.add(this.#untold);
    return all;
  }

  /** Looks at what was measured, and acts on it. */
  judge(): void {
    this.#sinceLook = 0;
    if (this.#state.status !== 'running' || this.#isChanging) return;
    const measured = this.measured();
    const verdict = this.#verdictOn(measured);
    if (verdict.is === 'fail') return this.#stop(verdict.reason ?? '');
    if (this.plan.ramps) this.#step(measured, verdict);
  }

  /** Does what an operator wants. */
  async wish(status: RolloutStatus, reason: string): Promise<Wish> {
    const { status: before, step, version } = this.#state;
    const isAllowed = status === 'running' ? before === 'paused' : before !== 'aborted' && before !== status;
    if (!isAllowed || (status === 'paused' && before !== 'running')) return 'refused';
    return this.#change({ status, step, version: version + 1, reason }, 'operator');
  }

  /** Tells others what was measured here and hears of them; without others it only judges. */
  async tick(): Promise<void> {
    const { store } = this.#deps;
    if (store === undefined) return this.judge();
    if (this.#isSyncing) return;
    this.#isSyncing = true;
    try {
      await this.#sync(store);
    } finally {
      this.#isSyncing = false;
    }
    this.judge();
  }

  async #sync(store: RolloutStore): Promise<void> {
    const { step } = this.#state;
    const telling = this.#untold;
    this.#untold = new Tally();
    const synced = await store.sync(this.plan.id, this.#state, telling);
    const isSameStep = step === this.#state.step;
    if (synced === undefined) {
      // Holds what it knows and judges what it sees itself; told later.
      if (isSameStep) this.#untold.add(telling);
      return;
    }
    if (isSameStep) this.#told = synced.tally;
    await this.#merge(store, synced);
  }

  async #merge(store: RolloutStore, { state, changes }: Synced): Promise<void> {
    if (this.#isApart && outranks(this.#state, state)) {
      const mine = { ...this.#state, version: state.version + 1 };
      const told = await store.change(this.plan.id, state.version, mine, this.#changes[0]);
      if (told?.isDone !== true) return;
      this.#isApart = false;
      this.#state = mine;
      return;
    }
    this.#isApart = false;
    // An answer that was under way while this process has changed it itself is an old one.
    if (state.version <= this.#state.version) return;
    const [change] = changes;
    this.#changes.splice(0, Infinity, ...changes.slice(0, MAX_CHANGES));
    this.#adopt(state);
    if (change !== undefined) this.#deps.changed(this, change, false);
  }

  #verdictOn({ canary, stable }: Tally): Verdict {
    const { tolerance } = this.plan;
    if (tolerance === undefined) return { is: 'pass' };
    const errors = judgeErrors(canary, stable, tolerance);
    if (errors.is === 'fail' || tolerance.p95 === undefined) return errors;
    const latency = this.#looks.judge(canary, stable, tolerance.p95, this.#deps.now());
    return latency.is === 'fail' ? latency : errors;
  }

  #step({ canary, stable }: Tally, verdict: Verdict): void {
    const { steps, progressDeadlineMs } = this.plan;
    const { step, version } = this.#state;
    const now = steps[step];
    const spent = this.#deps.now() - this.#stepAt;
    if (now === undefined || spent < now.forMs) return;
    const next = steps[step + 1]?.weight ?? 1;
    const isEnough = canary.attempts >= now.requests && stable.attempts >= now.requests;
    if (isEnough && !this.#looks.isSuspicious && (next <= MOST_UNPROVEN || verdict.is === 'pass')) {
      const status = next >= 1 ? 'promoted' : 'running';
      const reason = `step ${step + 1} of ${steps.length} passed`;
      return this.#go({ status, step: step + 1, version: version + 1, reason });
    }
    // No data is no verdict: neither good nor bad.
    if (spent >= progressDeadlineMs) {
      const why = isEnough ? 'no verdict' : 'too few requests';
      const reason = `${why} within the progress deadline`;
      this.#go({ status: 'paused', step, version: version + 1, reason });
    }
  }

  #warmedUp(side: SideName, failed: boolean): void {
    if (side !== 'canary' || this.plan.tolerance === undefined) return;
    this.#warm.count(failed, 0);
    const { attempts, failures } = this.#warm;
    if (attempts >= LEAST_WARM && failures * 2 > attempts)
      this.#stop(`errors: ${failures} of ${attempts} attempts failed while it warmed up`);
  }

  #stop(reason: string): void {
    const { step, version } = this.#state;
    this.#go({ status: 'aborted', step, version: version + 1, reason });
  }

  /** Makes a change by itself, one at a time. */
  #go(next: RolloutState): void {
    // Who is alone has made it by the time that this returns.
    this.#isChanging = this.#deps.store !== undefined;
    void this.#change(next, 'gateway').finally(() => (this.#isChanging = false));
  }

  async #change(next: RolloutState, by: RolloutChange['by']): Promise<Wish> {
    const { store } = this.#deps;
    const change = changeBetween([this.#state, next], {
      by,
      weight: this.#weightOf(next),
      measured: this.measured(),
    });
    const isStop = next.status === 'aborted' || next.status === 'paused';
    // What stops holds here at once, whoever can be told; what leads on holds for all or for nobody.
    if (store === undefined || isStop) this.#enact(next, change);
    if (store === undefined) return 'done';
    const before = next.version - 1;
    const told = await store.change(this.plan.id, before, next, change);
    if (told === undefined) {
      this.#isApart = isStop;
      return isStop ? 'done' : 'unreachable';
    }
    if (told.isDone) {
      if (!isStop && next.version > this.#state.version) this.#enact(next, change);
      return 'done';
    }
    if (isStop && outranks(next, told.state)) {
      // Somebody has led on at the same time: this one goes after it.
      const after = { ...next, version: told.state.version + 1 };
      this.#state = after;
      this.#isApart = true;
      return 'done';
    }
    if (told.state.version >= this.#state.version) this.#adopt(told.state);
    return 'refused';
  }

  #enact(next: RolloutState, change: RolloutChange): void {
    this.#changes.unshift(change);
    this.#changes.length = Math.min(this.#changes.length, MAX_CHANGES);
    this.#adopt(next);
    this.#deps.changed(this, change, true);
  }

  #adopt(state: RolloutState): void {
    const { step, status } = this.#state;
    this.#state = state;
    this.weight = this.#weightOf(state);
    if (step === state.step && status === state.status) return;
    this.#stepAt = this.#deps.now();
    if (step === state.step) return;
    this.#told = new Tally();
    this.#untold = new Tally();
    this.#looks.reset();
  }

  #weightOf({ status, step }: RolloutState): number {
    if (status === 'aborted') return 0;
    return status === 'promoted' ? 1 : (this.plan.steps[step]?.weight ?? 0);
  }
}
