interface Slot<Value> {
  value: Value;
  /** Whether it was read since it was last considered for forgetting. */
  used: boolean;
}

/**
 * A map that holds at most `max` entries and prefers to forget one that nobody reads. Gives each entry that
 * was read a second chance instead of keeping an exact order, because that would cost a write per read.
 */
export class BoundedMap<Value> {
  readonly #slots = new Map<string, Slot<Value>>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** How many entries there are. */
  get size(): number {
    return this.#slots.size;
  }

  /** Returns the value, or undefined. */
  get(key: string): Value | undefined {
    const slot = this.#slots.get(key);
    if (slot === undefined) return undefined;
    slot.used = true;
    return slot.value;
  }

  /** Keeps a value, at the cost of another one when the map is full. */
  set(key: string, value: Value): void {
    const slot = this.#slots.get(key);
    if (slot !== undefined) {
      slot.value = value;
      return;
    }
    if (this.#slots.size >= this.#max) this.#forgetOne();
    this.#slots.set(key, { value, used: false });
  }

  /** Forgets a value. */
  delete(key: string): void {
    this.#slots.delete(key);
  }

  /** Ends after one round at the latest: by then every mark is gone. */
  #forgetOne(): void {
    for (const [key, slot] of this.#slots) {
      this.#slots.delete(key);
      if (!slot.used) return;
      slot.used = false;
      this.#slots.set(key, slot);
    }
  }
}
