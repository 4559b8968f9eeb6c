import type { Problem } from '../problems/problem.ts';

/** Rules of one answer that are told apart. */
const MOST = 50;

/** Denials of parts of one answer, of which a list can have any number: one for each rule, and how often. */
export class FieldDenials {
  readonly #found = new Map<string, { problem: Problem; count: number }>();

  /** Counts one. Beyond 50 rules those of a code are one. */
  add(problem: Problem): void {
    const { code, by } = problem;
    const isFull = this.#found.size >= MOST;
    const key = isFull && !this.#found.has(`${code} ${by}`) ? code : `${code} ${by}`;
    const known = this.#found.get(key);
    if (known === undefined) this.#found.set(key, { problem, count: 1 });
    else known.count += 1;
  }

  /** All of them, in the order in which they were found. */
  all(): Iterable<{ readonly problem: Problem; readonly count: number }> {
    return this.#found.values();
  }
}
