import type { RolloutChange, RolloutState } from './rollout-state.ts';
import type { Tally } from './tally.ts';

/** What all replicas together know of a rollout. */
export interface Synced {
  readonly state: RolloutState;
  /** What was measured in the step that was asked for. */
  readonly tally: Tally;
  /** The last changes, newest first. */
  readonly changes: readonly RolloutChange[];
}

/** What became of a change. */
export interface Changed {
  /** False: somebody else was first, or it was over for good. */
  readonly isDone: boolean;
  readonly state: RolloutState;
}

/** What replicas share of their rollouts. Never rejects: what cannot be reached answers undefined. */
export interface RolloutStore {
  /**
   * Adds what was measured in the step of a state, and tells what is known; a rollout that is not known begins with that state.
   */
  sync(id: string, state: RolloutState, measured: Tally): Promise<Synced | undefined>;
  /** Changes a rollout unless its version is another one by now. */
  change(
    id: string,
    version: number,
    next: RolloutState,
    change: RolloutChange | undefined,
  ): Promise<Changed | undefined>;
}
