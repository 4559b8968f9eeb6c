const SEPARATORS = /[-_.\s]/g;

/**
 * Finds the valid name that somebody most likely meant: the same letters in another case or with other
 * separators (`rate_limit` for `rateLimit`), else the one with the fewest typing mistakes (a wrong, missing,
 * extra or swapped letter each count one), of which a third of the letters may be wrong, three at most.
 *
 * @param most how many mistakes there may be. Default as said.
 * @returns the name as it is spelled in `valid`, or undefined when nothing is near.
 */
export function nearestName(given: string, valid: Iterable<string>, most?: number): string | undefined {
  const wanted = fold(given);
  let best: string | undefined;
  let fewest = (most ?? allowedMistakes(wanted.length)) + 1;
  for (const name of valid) {
    const mistakes = distance(wanted, fold(name), fewest);
    if (mistakes < fewest) {
      best = name;
      fewest = mistakes;
    }
  }
  return best;
}

/** So many names are compared letter by letter: enough for each fault of a file that somebody can still read. */
const MAX_COMPARISONS = 400_000;

/**
 * {@link nearestName} for many wrong names and the same valid ones: 10 000 names that are wrong among 10 000 that are not
 * must not cost 100 million comparisons. Each wrong name is looked for once, and after {@link MAX_COMPARISONS} only by its
 * letters, which costs one look.
 */
export class NearestNames {
  readonly #valid: readonly string[];
  readonly #answers = new Map<string, string | undefined>();
  #byLetters: ReadonlyMap<string, string> | undefined = undefined;
  #comparisons = 0;

  constructor(valid: Iterable<string>) {
    this.#valid = [...valid];
  }

  /** The nearest valid name; undefined when nothing is near. */
  to(given: string): string | undefined {
    if (this.#answers.has(given)) return this.#answers.get(given);
    const nearest = this.#sameLetters(given) ?? this.#similar(given);
    this.#answers.set(given, nearest);
    return nearest;
  }

  #sameLetters(given: string): string | undefined {
    // Backwards, because of several with the same letters the first one counts.
    this.#byLetters ??= new Map(this.#valid.toReversed().map((name) => [fold(name), name]));
    return this.#byLetters.get(fold(given));
  }

  #similar(given: string): string | undefined {
    if (this.#comparisons >= MAX_COMPARISONS) return undefined;
    this.#comparisons += this.#valid.length;
    return nearestName(given, this.#valid);
  }
}

function fold(name: string): string {
  return name.replace(SEPARATORS, '').toLowerCase();
}

function allowedMistakes(length: number): number {
  return Math.min(3, Math.ceil(length / 3));
}

/** Damerau-Levenshtein distance (optimal string alignment); gives up with `limit` once it cannot be less. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  const width = b.length + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: width }, (_, column) => column);
  let current: number[] = [];
  for (let row = 1; row <= a.length; row += 1) {
    let fewest = (current[0] = row);
    for (let column = 1; column < width; column += 1) {
      const wrong = a.charCodeAt(row - 1) === b.charCodeAt(column - 1) ? 0 : 1;
      const inserted = (current[column - 1] as number) + 1;
      const removed = (last[column] as number) + 1;
      let mistakes = lesser((last[column - 1] as number) + wrong, lesser(inserted, removed));
      if (isSwap(a, row, b, column)) mistakes = lesser(mistakes, (beforeLast[column - 2] as number) + 1);
      current[column] = mistakes;
      fewest = lesser(fewest, mistakes);
    }
    // A swap looks back two rows, but costs one more than what it finds there.
    if (fewest > limit) return limit;
    [beforeLast, last, current] = [last, current, beforeLast];
  }
  return last[b.length] as number;
}

function isSwap(a: string, row: number, b: string, column: number): boolean {
  return (
    row > 1 &&
    column > 1 &&
    a.charCodeAt(row - 1) === b.charCodeAt(column - 2) &&
    a.charCodeAt(row - 2) === b.charCodeAt(column - 1)
  );
}

function lesser(one: number, other: number): number {
  return one < other ? one : other;
}
