import type { Scope } from '../call-plan.ts';
import { CallMemory } from './call-memory.ts';
import { SharedRun, type Passage, type RunOutcome } from './shared-run.ts';
import { leftMs, refusalOf } from './waiter.ts';

/** A layer of a call: what it does with an input, whose key is known. */
export type Run<In, Out> = (input: In, key: string, passage: Passage) => Promise<Out>;

/** Longest time of a run that several exchanges wait for, unless the one that starts it allows more. */
const LONGEST_RUN_MS = 30_000;

/** Equal calls in flight, across exchanges: one run for all of them. */
export class Flights<In, Out> {
  readonly #runs = new Map<string, SharedRun<Out>>();
  /** What everybody who is not told apart has in common. */
  readonly #everybody = new CallMemory();
  readonly #scope: Scope;
  readonly #load: Run<In, Out>;
  readonly #landed: (key: string, outcome: RunOutcome<Out>) => void;

  /** @param landed called when a run has ended that is still the one of its key. */
  constructor(
    scope: Scope,
    load: Run<In, Out>,
    landed: (key: string, outcome: RunOutcome<Out>) => void = ignore,
  ) {
    this.#scope = scope;
    this.#load = load;
    this.#landed = landed;
  }

  /** Waits for the run that is in flight, or starts it. */
  readonly join: Run<In, Out> = (input, key, passage) => {
    const refusal = refusalOf(passage);
    if (refusal !== undefined) return Promise.reject(refusal);
    const flying = this.#runs.get(key);
    if (flying?.joinable === true) {
      if (passage.trail !== undefined) passage.trail.via = 'shared';
      return flying.join(passage);
    }
    const run = this.#take(input, key, passage, false);
    const answer = run.join(passage);
    run.start();
    return answer;
  };

  /** Starts a run that nobody waits for, unless one is in flight. */
  refresh(input: In, key: string, passage: Passage): void {
    if (this.#runs.get(key)?.joinable !== true) this.#take(input, key, passage, true).start();
  }

  /** Lets the runs in flight end without taking note of them. */
  clear(): void {
    this.#runs.clear();
  }

  #take(input: In, key: string, passage: Passage, kept: boolean): SharedRun<Out> {
    const isPublic = this.#scope === 'public';
    const left = kept ? 0 : leftMs(passage);
    const run = new SharedRun<Out>({
      starter: passage,
      // What everybody may see must not depend on who happened to ask first.
      principal: isPublic ? undefined : passage.exchange.principal,
      origin: isPublic ? this.#everybody : passage.origin,
      timeoutMs: left === Infinity ? LONGEST_RUN_MS : Math.max(LONGEST_RUN_MS, left),
      deadlineAt: Infinity,
      kept,
      load: (inner) => this.#load(input, key, inner),
      ended: (ended, outcome) => {
        if (this.#runs.get(key) !== ended) return;
        this.#runs.delete(key);
        this.#landed(key, outcome);
      },
    });
    this.#runs.set(key, run);
    return run;
  }
}

function ignore(): void {}
