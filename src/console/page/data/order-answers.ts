/**
 * What the listener answers about configurations, rollouts and changes, as far as the console shows it. Moments are ISO 8601
 * texts.
 */
import type { ListAnswer } from './traffic.ts';

/** Where a configuration is wrong, and why. */
export interface ShownFault {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly routeId?: string;
  readonly key?: string;
  readonly message: string;
  readonly suggestion?: string;
}

/** One configuration that was in force, or would have been. */
export interface Generation {
  readonly generation: number;
  readonly sha: string;
  readonly at: string;
  readonly by?: string | null;
  readonly cause: 'start' | 'file' | 'signal' | 'order' | 'rollback';
  readonly outcome: 'in-force' | 'replaced' | 'refused';
  readonly faults?: readonly ShownFault[];
  readonly summary?: { readonly added: number; readonly removed: number; readonly changed: number };
}

/** `GET /config/history` */
export type HistoryAnswer = ListAnswer<Generation>;

/** `GET /config/history/:generation` */
export interface GenerationAnswer extends Generation {
  readonly text: string;
}

/** `GET /config/diff` */
export interface DiffAnswer {
  readonly from: number;
  readonly to: number;
  readonly changes: readonly MeantChange[];
  /** Unified. */
  readonly text: string;
}

/** What a change means: a route that is added, a limit that is another one. */
export interface MeantChange {
  readonly kind: 'added' | 'removed' | 'changed';
  readonly what: string;
  readonly id: string;
  readonly lines: readonly string[];
}

/** `GET /config` */
export interface ConfigAnswer {
  readonly file: string;
  readonly loadedAt: string;
  readonly held: number;
  readonly generation?: number;
  /** Whether what is in force is not what the file says. */
  readonly differs?: boolean;
  /** Files of teams that it includes. */
  readonly teams?: readonly { readonly team: string; readonly file: string }[];
  /** Those that are faulty and left out. */
  readonly leftOut?: readonly {
    readonly team: string;
    readonly file: string;
    readonly serves: 'last-good' | 'nothing';
    readonly faults: readonly ShownFault[];
  }[];
  readonly lastReload?: {
    readonly trigger: string;
    readonly at: string;
    readonly outcome: string;
    readonly faults: readonly ShownFault[];
  };
}

/** A line of `GET /changes`. */
export interface ChangeRow {
  readonly at: string;
  readonly kind: string;
  readonly text: string;
  readonly upstream?: string;
  readonly target?: string;
  readonly route?: string;
}

/** A side of a rollout. */
export interface SideAnswer {
  readonly attempts: number;
  readonly failures: number;
}

/** One of `GET /canaries`. */
export interface RolloutAnswer {
  readonly route: string;
  readonly id: string;
  readonly status: 'running' | 'paused' | 'promoted' | 'aborted';
  readonly step?: number;
  readonly steps: readonly string[];
  readonly weight: string;
  readonly reason: string;
  readonly canary: SideAnswer;
  readonly stable: SideAnswer;
  readonly changes: readonly {
    readonly at: string;
    readonly from: string;
    readonly to: string;
    readonly step: number;
    readonly weight: number;
    readonly reason: string;
    readonly by: string;
  }[];
}

/** `GET /upstreams`, of which the console takes what traffic does not tell. */
export interface HealthAnswer {
  readonly upstream: string;
  readonly targets: readonly TargetHealth[];
}

/** The health of a target. */
export interface TargetHealth {
  readonly target: string;
  readonly available: boolean;
  readonly reason?: string;
  readonly inFlight: number;
  readonly weight: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly probes?: { readonly verdict: string; readonly since: string; readonly fault?: string };
  readonly breaker?: {
    readonly state: 'closed' | 'open' | 'half-open';
    readonly cause?: string;
    readonly openForMs?: number;
    readonly history: readonly {
      readonly at: string;
      readonly from?: string;
      readonly to: string;
      readonly cause?: string;
    }[];
  };
  /** An operator has given it another weight than the configuration does. */
  readonly weightOrder?: ShownOrder & { readonly configured: number };
  /** By hand. */
  readonly ejection?: ShownOrder;
  /** An operator has opened its breaker. */
  readonly breakerOrder?: ShownOrder;
}

/** What an operator has ordered of a target, and holds. */
export interface ShownOrder {
  readonly since?: string;
  readonly until?: string;
  readonly by?: string;
  readonly reason?: string;
}
