/** How much requests matter, the least first: who is refused first, and who never is. */
export const PRIORITY_CLASSES = ['low', 'normal', 'high', 'critical'] as const;

/** One of {@link PRIORITY_CLASSES}. */
export type PriorityClass = (typeof PRIORITY_CLASSES)[number];

/** From which level of load on some requests of a class are refused, and from which on all. They overlap: no class falls off a cliff. */
const BANDS: Readonly<Record<PriorityClass, readonly [from: number, to: number]>> = {
  low: [0, 0.5],
  normal: [0.4, 0.8],
  high: [0.7, 1],
  // Whatever happens: what is left is for those that keep the rest alive.
  critical: [Infinity, Infinity],
};

/** Which share of the requests of a class is refused at a level of load, from 0 to 1. */
export function shedShare(priority: PriorityClass, level: number): number {
  const [from, to] = BANDS[priority];
  if (level <= from) return 0;
  return level >= to ? 1 : (level - from) / (to - from);
}

/** The class of several that matters most. */
export function mostImportant(classes: Iterable<PriorityClass>): PriorityClass {
  let most = 0;
  for (const one of classes) most = Math.max(most, PRIORITY_CLASSES.indexOf(one));
  return PRIORITY_CLASSES[most] as PriorityClass;
}
