/** Sources of configuration besides the file. Written by whoever follows one, read by readiness. */
export class FollowedSources {
  /** Tells what of a cluster has not been heard of for too long, in words for operators; undefined where none is followed. */
  stale: (() => readonly string[]) | undefined = undefined;
}
