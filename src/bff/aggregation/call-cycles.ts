/** A call as far as its place in the order matters. */
interface Waiting {
  readonly dependencies: readonly number[];
}

/** Finds the cycles among calls that wait for each other; each is told once, from its first call in the file. */
export function cyclesOf<Call extends Waiting>(calls: readonly Call[]): Call[][] {
  const cycles: Call[][] = [];
  const done = new Set<number>();
  const visit = (index: number, way: readonly number[]): void => {
    const start = way.indexOf(index);
    if (start >= 0) {
      cycles.push(way.slice(start).map((place) => calls[place] as Call));
      return;
    }
    if (done.has(index)) return;
    for (const next of calls[index]?.dependencies ?? []) visit(next, [...way, index]);
    done.add(index);
  };
  calls.forEach((_, index) => visit(index, []));
  return cycles;
}
