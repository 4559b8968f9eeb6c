import type { Resource } from '../resource.ts';

/** An object, and how many routes it is made into. */
export interface Sized {
  readonly of: Resource;
  readonly count: number;
}

/**
 * Objects that are too many: as long as there are more routes than there may be, the last ones of the namespace that has the most,
 * so that nobody is left out for what others have.
 *
 * @param objects the older first.
 */
export function tooMany(objects: readonly Sized[], most: number): ReadonlySet<Resource> {
  let total = objects.reduce((sum, { count }) => sum + count, 0);
  const out = new Set<Resource>();
  if (total <= most) return out;
  const spaces = [...Map.groupBy(objects, ({ of }) => of.namespace).values()].map((own) => ({
    left: own.filter(({ count }) => count > 0),
    count: own.reduce((sum, { count }) => sum + count, 0),
  }));
  while (total > most) {
    const largest = spaces.reduce((one, other) => (other.count > one.count ? other : one));
    const last = largest.left.pop();
    if (last === undefined) break;
    out.add(last.of);
    largest.count -= last.count;
    total -= last.count;
  }
  return out;
}
