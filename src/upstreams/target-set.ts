import type { Target } from './target.ts';
import type { TargetOptions } from './upstream.schema.ts';

/** Makes the targets of one upstream, and tells which may stand for each other. */
export interface TargetMaker {
  /** Differs as soon as anything does that all targets of the upstream depend on. */
  readonly shared: string;
  /** See {@link Target.key}. */
  keyOf(options: TargetOptions): string;
  /** A new target; connections are opened by its first calls. */
  make(options: TargetOptions): Target;
}

/** What takes the place of some targets. */
export interface TargetSet {
  /** In the order in which they are wanted. */
  readonly targets: readonly Target[];
  /** Those of them that were there before, and what is said of them now. */
  readonly kept: ReadonlyMap<Target, TargetOptions>;
}

/** Keeps of some targets those that are still wanted, each once, and makes the others; nothing is begun or ended. */
export function targetSet(
  current: readonly Target[],
  wanted: readonly TargetOptions[],
  maker: TargetMaker,
): TargetSet {
  const spare = new Map<string, Target[]>();
  for (const target of current) {
    const alike = spare.get(target.key);
    if (alike === undefined) spare.set(target.key, [target]);
    else alike.push(target);
  }
  const kept = new Map<Target, TargetOptions>();
  const targets = wanted.map((options) => {
    const same = spare.get(maker.keyOf(options))?.shift();
    if (same === undefined) return maker.make(options);
    kept.set(same, options);
    return same;
  });
  return { targets: Object.freeze(targets), kept };
}
