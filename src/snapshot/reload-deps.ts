import type { AuditTrail } from '../audit/audit-trail.ts';
import type { ConfigFault } from '../config/config-fault.ts';
import type { ActionKind } from '../routing/route-action.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import type { LeftOut } from '../routing/teams/teams.ts';
import type { ReloadOutcome } from '../telemetry/config-metrics.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ConfigSummary } from './config-summary.ts';
import type { ConfigPlace } from './config-desk.ts';
import type { FollowedCluster } from './followed-cluster.ts';
import type { JointReload } from './reload-end.ts';
import type { SnapshotCompiler } from './snapshot-compiler.ts';
import type { Snapshot } from './snapshot.ts';
import type { Snapshots } from './snapshots.ts';

/** What became of an attempt to put another configuration into force. */
export interface Reload {
  /** What asked for it, such as `SIGHUP` or `file`. */
  readonly trigger: string;
  /** When it ended, in ms since the epoch. */
  readonly at: number;
  readonly outcome: ReloadOutcome;
  /** Everything that speaks against it; empty unless it was refused. */
  readonly faults: readonly ConfigFault[];
  /** The number of the configuration that was in force at its end, and why that is not what the file says. */
  readonly place: ConfigPlace;
  /** How what is in force now differs from what was; absent unless it was put into force. */
  readonly summary?: ConfigSummary | undefined;
  /** Files of teams that were left out of it, and why; absent where none was. */
  readonly leftOut?: readonly LeftOut[] | undefined;
}

/** What reloads need of the rest of the gateway. */
export interface ReloadsDeps {
  readonly snapshots: Snapshots;
  readonly compiler: SnapshotCompiler;
  /** The kinds of routes of the file. */
  readonly actions: readonly ActionKind[];
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** What is made of each configuration that is read. Default nothing. */
  readonly adapt?: ((source: GatewaySource) => GatewaySource) | undefined;
  /** Takes note of each reload. Default: nobody does. */
  readonly audit?: AuditTrail | undefined;
}

/** A configuration that was in force, as it was written. */
export interface EarlierConfig {
  readonly text: string;
  readonly generation: number;
}

/** What a reload is to be made of. */
export interface WantedReload {
  readonly trigger: string;
  readonly joint?: JointReload | undefined;
  /** Who wants it, where that is not the trigger. */
  readonly by?: string | undefined;
  /** Default: what the file says. */
  readonly earlier?: EarlierConfig | undefined;
  /** What was read. */
  readonly text?: string | undefined;
  /** What the file said, where something was added to it. */
  readonly fileText?: string | undefined;
  /** The {@link ConfigAddition.mark} of what was added to it. */
  readonly mark?: object | undefined;
}

/** What another source of configuration adds to the file. */
export interface ConfigAddition {
  /** The text of the file with what is added. */
  added(text: string): string;
  /**
   * Leaves out from now on what faults are about.
   *
   * @param mark of the text that has these faults; default of what is added now.
   * @returns whether something else is added by now, so that another try makes sense.
   */
  takeOut(faults: readonly ConfigFault[], mark?: object): boolean;
  /** Stands for what is added now: another object once that is something else. */
  readonly mark: object;
  /** Where it comes from, as operators see it. */
  readonly followed: FollowedCluster;
  /** Hears what the file says that is in force now. */
  fileInForce?(text: string): void;
}

/** Puts what is wanted into force, in a turn that was taken. Never rejects. */
export type ReloadNow = (wanted: Pick<WantedReload, 'trigger' | 'by' | 'earlier'>) => Promise<Reload>;

/** Where clients connect, which other configurations change. */
export interface Ports {
  /** Opens what a configuration adds. @returns what speaks against it. */
  prepare(source: GatewaySource): Promise<readonly ConfigFault[]>;
  /** Goes by a configuration that is in force now. */
  use(snapshot: Snapshot): void;
  /** Closes what was opened for a configuration that is not put into force. */
  giveUp(): void;
}
