const SEPARATORS = /[-_.\s]/g;

/**
 * Finds the valid name that somebody most likely meant: the same letters in another case or with other
 * separators (`rate_limit` for `rateLimit`), else the one with the fewest typing mistakes (a wrong, missing,
 * extra or swapped letter each count one), of which a third of the letters may be wrong, three at most.
 *
 * @returns the name as it is spelled in `valid`, or undefined when nothing is near.
 */
export function nearestName(given: string, valid: Iterable<string>): string | undefined {
  const wanted = fold(given);
  let best: string | undefined;
  let fewest = allowedMistakes(wanted.length) + 1;
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
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const wrong = a[row - 1] === b[column - 1] ? 0 : 1;
      let mistakes = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + wrong,
      );
      if (isSwap(a, row, b, column)) mistakes = Math.min(mistakes, at(beforeLast, column - 2) + 1);
      current.push(mistakes);
    }
    [beforeLast, last] = [last, current];
  }
  return at(last, b.length);
}

function isSwap(a: string, row: number, b: string, column: number): boolean {
  return row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
