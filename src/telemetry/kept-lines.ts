const MOST_LINES = 500;
const LONGEST_LINE = 4096;

/** The last lines of the log of this process, redacted as they were written; access lines are not among them. */
export class KeptLines {
  readonly #lines: string[] = [];
  #next = 0;

  /** Takes a line, cut where it is very long. */
  add(line: string): void {
    const kept = line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line.trimEnd();
    this.#lines[this.#next] = kept;
    this.#next = (this.#next + 1) % MOST_LINES;
  }

  /** The oldest first. */
  all(): readonly string[] {
    return [...this.#lines.slice(this.#next), ...this.#lines.slice(0, this.#next)];
  }
}
