/** What readiness waits for after a start. Written by whoever puts the gateway together, read by readiness. */
export class Warming {
  /** Tells what is still awaited, in words for operators. */
  awaited: () => readonly string[] = () => [];
  #isOver = false;

  /** What is still awaited; once nothing is, nothing ever is again: a reload does not take a gateway out of traffic. */
  look(): readonly string[] {
    if (this.#isOver) return [];
    const awaited = this.awaited();
    this.#isOver = awaited.length === 0;
    return awaited;
  }
}
