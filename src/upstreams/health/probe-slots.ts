/** Who waits for a place. */
type Begin = () => void;

/** Places for probes: however many targets there are, only so many are asked at once. */
export class ProbeSlots {
  readonly #most: number;
  readonly #waiting = new Set<Begin>();
  #taken = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** How many are under way. */
  get taken(): number {
    return this.#taken;
  }

  /** Begins as soon as there is a place, in the order of asking; perhaps at once. */
  take(begin: Begin): void {
    if (this.#taken >= this.#most) return void this.#waiting.add(begin);
    this.#taken += 1;
    begin();
  }

  /** Lets one go that waits for its place. @returns whether it did. */
  leave(begin: Begin): boolean {
    return this.#waiting.delete(begin);
  }

  /** Gives a place back. */
  free(): void {
    this.#taken -= 1;
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#waiting.delete(next);
    this.take(next);
  }
}

const MOST_AT_ONCE = 32;

/** The places of this process. */
export const processSlots = new ProbeSlots(MOST_AT_ONCE);
