import { Judge } from './judge.ts';
import { Measurements } from './measurements.ts';
import type { RolloutPlan } from './rollout-plan.ts';
import {
  BEGINNING,
  changeBetween,
  outranks,
  type RolloutChange,
  type RolloutState,
  type RolloutStatus,
} from './rollout-state.ts';
import type { RolloutStore, Synced } from './rollout-store.ts';
import type { SideName, Tally } from './tally.ts';

/** What a rollout works with. */
export interface RolloutDeps {
  /** A clock in ms that never jumps. */
  readonly now: () => number;
  /** What replicas share; undefined: this process is alone. */
  readonly store: RolloutStore | undefined;
  /** Hears of every change that this process makes, and of those that it hears of. */
  readonly changed: (rollout: Rollout, change: RolloutChange, isOwn: boolean) => void;
}

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
  readonly #judge: Judge;
  readonly #seen = new Measurements();
  #stepAt: number;
  #beganAt: number;
  #hasBegun = false;
  #sinceLook = 0;
  /** Whether the state came about while others could not be told. */
  #isApart = false;
  #isSyncing = false;
  /** Whether a change of its own is under way. */
  #isChanging = false;

  constructor(plan: RolloutPlan, deps: RolloutDeps) {
    this.plan = plan;
    this.#deps = deps;
    this.#judge = new Judge(this.#seen);
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

  /** Has its times count from now on, the first time that it comes into force: it may have been made long before. */
  begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#stepAt = this.#beganAt = this.#deps.now();
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
    this.#seen.count(side, failed, durationMs);
    // What happens at the stable side only matters once the canary does something.
    if (side === 'stable') return;
    this.#sinceLook += 1;
    if (failed || this.#sinceLook >= LOOK_EVERY) this.judge();
  }

  /** Counts an answer as failed that broke off after it was counted. */
  broke(side: SideName): void {
    if (!this.isSettled && this.#seen.correct(side)) this.judge();
  }

  /** What was measured in this step. */
  measured(): Tally {
    return this.#seen.all();
  }

  /** Looks at what was measured, and acts on it. */
  judge(): void {
    this.#sinceLook = 0;
    if (this.#state.status !== 'running' || this.#isChanging) return;
    const next = this.#judge.next(this.plan, this.#state, this.#deps.now(), this.#stepAt);
    if (next !== undefined) this.#go(next);
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
    const synced = await store.sync(this.plan.id, this.#state, this.#seen.tell());
    if (step === this.#state.step) this.#seen.told(synced?.tally);
    // Without an answer it holds what it knows and judges what it sees itself; told later.
    if (synced !== undefined) await this.#merge(store, synced);
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

  #warmedUp(side: SideName, failed: boolean): void {
    if (side !== 'canary' || this.plan.tolerance === undefined) return;
    const next = this.#judge.warmedUp(this.#state, failed);
    if (next !== undefined) this.#go(next);
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
    this.#seen.reset();
    this.#judge.reset();
  }

  #weightOf({ status, step }: RolloutState): number {
    if (status === 'aborted') return 0;
    return status === 'promoted' ? 1 : (this.plan.steps[step]?.weight ?? 0);
  }
}
