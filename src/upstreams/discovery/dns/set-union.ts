import type { TargetOptions } from '../../target.schema.ts';

const REMEMBERED = 3;

/**
 * Notices a server that sends a random part of many records: as many each time, and never the same. Then what it sent the
 * last three times counts together; a set that changes now and then is taken as it is.
 */
export class SetUnion {
  #last: (readonly TargetOptions[])[] = [];

  /** Adds a set. @returns what counts now. */
  add(targets: readonly TargetOptions[]): readonly TargetOptions[] {
    this.#last = [...this.#last, targets].slice(-REMEMBERED);
    if (this.#last.length < REMEMBERED || targets.length === 0 || !this.#looksRandom()) return targets;
    const union = new Map<string, TargetOptions>();
    for (const set of this.#last) for (const target of set) union.set(target.url, target);
    return [...union.values()];
  }

  #looksRandom(): boolean {
    const [first, ...others] = this.#last.map((set) => new Set(set.map(({ url }) => url)));
    let before = first as ReadonlySet<string>;
    return others.every((set) => {
      const isOther = set.size === before.size && [...set].some((url) => !before.has(url));
      before = set;
      return isOther;
    });
  }
}
