import type { ConfigFault } from '../../config/config-fault.ts';
import type { GatewaySource } from '../table-builder.ts';
import type { Rights } from './include.schema.ts';

/** What a team was given. */
export interface Granted {
  readonly team: string;
  readonly rights: Rights;
  /** Where the file of the gateway says so: `gateway.yaml:4:5`. */
  readonly grantedAt: string;
}

/** One file of a team. */
export interface TeamSource extends Granted {
  /** As faults name it. */
  readonly file: string;
}

/** A file whose latest text does not hold, because something is wrong with it. */
export interface LeftOut {
  readonly file: string;
  readonly team: string;
  /** What holds in its place: what it said when it was last without faults, or nothing. */
  readonly serves: 'last-good' | 'nothing';
  readonly faults: readonly ConfigFault[];
}

/** What the files of teams have brought to a configuration. */
export interface Teams {
  /** Those that hold, or whose last good text does. */
  readonly sources: readonly TeamSource[];
  /** What the teams of all files were given, those that are left out included: what is theirs stays so. */
  readonly granted: readonly Granted[];
  /** Names of the teams, in their order. */
  readonly names: readonly string[];
  /** By the index of a route of the configuration; undefined for those of the gateway's own file. */
  readonly ofRoutes: readonly (TeamSource | undefined)[];
  /** By the name that an upstream has in the gateway. */
  readonly ofUpstreams: ReadonlyMap<string, TeamSource>;
  readonly leftOut: readonly LeftOut[];
  /** What is wrong with what teams name and may not; told together with what is wrong with their routes. */
  readonly faults: readonly ConfigFault[];
  /** The texts of all files that hold, by name; what a later configuration can go back to. */
  readonly good: ReadonlyMap<string, string>;
  /**
   * The same configuration without the texts that faults are in.
   *
   * @returns undefined where nothing may be left out for them.
   */
  without(faults: readonly ConfigFault[]): GatewaySource | undefined;
}
