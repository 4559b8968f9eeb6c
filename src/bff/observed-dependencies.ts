/** Which sections of a view have waited for which others, in this process. */
export class ObservedDependencies {
  readonly #bySection: (Set<number> | undefined)[] = [];

  /** Takes note that one section asked for another. */
  note(asking: number, asked: number): void {
    (this.#bySection[asking] ??= new Set()).add(asked);
  }

  /** The places of the sections that one has asked for so far, in order. */
  of(section: number): readonly number[] {
    return [...(this.#bySection[section] ?? [])].toSorted((a, b) => a - b);
  }
}
