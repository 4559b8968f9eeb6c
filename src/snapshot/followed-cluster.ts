/** How a watch of a cluster is: what is known by `failing` and `stale` ones stays in force. */
export const WATCH_STATES = ['followed', 'awaited', 'absent', 'failing', 'stale'] as const;
/** One of {@link WATCH_STATES}. */
export type WatchState = (typeof WATCH_STATES)[number];

/** A kind of objects that is followed, in all namespaces or in one. */
export interface WatchView {
  readonly kind: string;
  /** Absent for all namespaces. */
  readonly namespace?: string;
  /** In words. */
  readonly title: string;
  readonly state: WatchState;
  readonly objects: number;
  /** How long ago the cluster has last been heard of it, in ms; 0 while all is well. */
  readonly ageMs: number;
  /** Why nothing is heard. */
  readonly why?: string;
}

/** What became of an object: all of it, a part, nothing, or it is for somebody else. */
export const OBJECT_STATES = ['served', 'partly', 'refused', 'ignored'] as const;
/** One of {@link OBJECT_STATES}. */
export type ObjectState = (typeof OBJECT_STATES)[number];

/** An object of a cluster, and what became of it. */
export interface ObjectVerdict {
  readonly kind: string;
  /** Empty for those of the cluster. */
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  readonly state: ObjectState;
  /** What is wrong with it, with the field; absent where nothing is. */
  readonly why?: readonly string[];
}

/** A cluster that is followed, as operators see it. */
export interface FollowedCluster {
  readonly controller: string;
  /** Whether this replica is the one that writes status; absent where none is written. */
  readonly isLeader?: boolean;
  readonly routes: number;
  readonly maxRoutes: number;
  readonly watches: readonly WatchView[];
  /** All objects that have a verdict, by kind and name. */
  readonly objects: readonly ObjectVerdict[];
}
