/** What is undone at the end, the last first; all of it, whatever fails. */
export class Ending {
  #steps: (() => unknown)[] = [];

  /** Adds what is undone before all that was added earlier. */
  add(step: () => unknown): void {
    this.#steps.unshift(step);
  }

  /** Undoes all; safe to call twice. @throws what failed first. */
  async run(): Promise<void> {
    const failures: unknown[] = [];
    for (const step of this.#steps.splice(0)) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
