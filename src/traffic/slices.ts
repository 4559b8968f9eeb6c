import { setImmediate as turn } from 'node:timers/promises';

/** Does a long piece of work bit by bit: requests have their turn after each. */
export async function inSlices(work: Iterator<unknown, unknown>): Promise<void> {
  while (work.next().done !== true) await turn();
}

/** Does something for all of a list, so many at a time. */
export async function eachInSlices<One>(
  all: readonly One[],
  size: number,
  act: (one: One) => void,
): Promise<void> {
  for (let start = 0; start < all.length; start += size) {
    if (start > 0) await turn();
    for (const one of all.slice(start, start + size)) act(one);
  }
}

/**
 * The first ones of a list in an order, without sorting all of it in one go.
 *
 * @param wanted how many.
 */
export async function firstOf<One>(
  all: readonly One[],
  compare: (one: One, other: One) => number,
  wanted: number,
  size = 500,
): Promise<One[]> {
  const runs: One[][] = [];
  for (let start = 0; start < all.length; start += size) {
    if (start > 0) await turn();
    // What is not among the first ones of its own part is not among those of all.
    runs.push(
      all
        .slice(start, start + size)
        .sort(compare)
        .slice(0, wanted),
    );
  }
  return merged(runs, compare, wanted, size);
}

async function merged<One>(
  runs: One[][],
  compare: (one: One, other: One) => number,
  wanted: number,
  size: number,
): Promise<One[]> {
  const next = runs.map(() => 0);
  const first: One[] = [];
  while (first.length < wanted) {
    let best = -1;
    for (let i = 0; i < runs.length; i += 1) {
      const head = runs[i]?.[next[i] as number];
      if (head === undefined) continue;
      if (best < 0 || compare(head, runs[best]?.[next[best] as number] as One) < 0) best = i;
    }
    if (best < 0) break;
    first.push(runs[best]?.[next[best] as number] as One);
    next[best] = (next[best] as number) + 1;
    if (first.length % size === 0) await turn();
  }
  return first;
}
