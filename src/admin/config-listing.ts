import type { Reload, Reloads } from '../snapshot/reloads.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';

/** The configuration that is in force as operators see it. */
export interface ListedConfig {
  readonly file: string;
  /** When it was put into force (RFC 3339). */
  readonly loadedAt: string;
  /** How many configurations exchanges, sockets and streams still hold, that one included. */
  readonly held: number;
  /** What became of the last reload; absent before the first. */
  readonly lastReload?: Omit<Reload, 'at'> & { readonly at: string };
}

/** Describes what is in force, and what became of the last attempt to change it. */
export function describeConfig(snapshots: Snapshots, { loadedAt, last }: Reloads): ListedConfig {
  return {
    file: snapshots.current.source.document.file,
    loadedAt: new Date(loadedAt).toISOString(),
    held: snapshots.count,
    ...(last && { lastReload: { ...last, at: new Date(last.at).toISOString() } }),
  };
}
