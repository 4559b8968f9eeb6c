import type { ConfigPlace } from '../snapshot/config-desk.ts';
import type { LeftOut } from '../routing/teams/teams.ts';
import { leftOutOf } from '../snapshot/left-out.ts';
import type { Reload, Reloads } from '../snapshot/reloads.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';

/** The configuration that is in force as operators see it. */
export interface ListedConfig {
  readonly file: string;
  /** Its number in `/config/history`. */
  readonly generation: number;
  /** SHA-256 of its text in hex. */
  readonly sha: string;
  /** When it was put into force (RFC 3339). */
  readonly loadedAt: string;
  /** How many configurations exchanges, sockets and streams still hold, that one included. */
  readonly held: number;
  /** Absent while the file says what is in force: since when it does not, and why. */
  readonly differsFromFile?: { readonly why: 'rollback' | 'refused'; readonly since: string };
  /** Absent where the configuration includes no files of teams. */
  readonly teams?: readonly { readonly team: string; readonly file: string }[];
  /** Files of teams that are faulty and left out; absent where none is. */
  readonly leftOut?: readonly LeftOut[];
  /** What became of the last reload; absent before the first. */
  readonly lastReload?: Omit<Reload, 'at' | 'place'> & { readonly at: string };
}

/** Describes what is in force, and what became of the last attempt to change it. */
export function describeConfig(
  snapshots: Snapshots,
  { loadedAt, last }: Reloads,
  { generation, difference }: ConfigPlace,
): ListedConfig {
  const { document, teams } = snapshots.current.source;
  const since = difference && new Date(difference.since).toISOString();
  return {
    file: document.file,
    generation,
    sha: document.digest,
    loadedAt: new Date(loadedAt).toISOString(),
    held: snapshots.count,
    ...(difference && since !== undefined && { differsFromFile: { why: difference.why, since } }),
    ...(teams && { teams: teams.sources.map(({ team, file }) => ({ team, file })) }),
    ...leftOutOf(snapshots.current.source),
    ...(last && { lastReload: shownReload(last) }),
  };
}

// What is in force by now is told besides.
function shownReload({ at, place: _place, ...reload }: Reload): NonNullable<ListedConfig['lastReload']> {
  return { ...reload, at: new Date(at).toISOString() };
}
