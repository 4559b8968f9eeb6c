import { FLOW_BUCKETS, type Flow } from '../telemetry/flow.ts';

/** What a record has before its buckets. */
const [ID, STEP, ERRORS, REFUSED, SUM, MOST, EXTRA] = [0, 1, 2, 3, 4, 5, 6] as const;
const HEAD = 8;
/** Words of 32 bits in a record. */
export const RECORD_WORDS = HEAD + FLOW_BUCKETS;
const UNITS_PER_MS = 16;
const MOST_WORD = 2 ** 32 - 1;

/** What was counted at one place within some time. */
export class Sums {
  readonly counts = new Float64Array(FLOW_BUCKETS);
  errors = 0;
  refused = 0;
  sumMs = 0;
  maxMs = 0;
  extra = 0;

  /** Adds what a flow has counted since it was drained. */
  addFlow(flow: Flow): this {
    for (let i = 0; i < FLOW_BUCKETS; i += 1)
      this.counts[i] = (this.counts[i] as number) + (flow.counts[i] as number);
    this.errors += flow.errors;
    this.refused += flow.refused;
    this.sumMs += flow.sumMs;
    this.extra += flow.extra;
    if (flow.maxMs > this.maxMs) this.maxMs = flow.maxMs;
    return this;
  }

  /** Adds what another one has, or takes it away. */
  add(other: Sums, sign: 1 | -1 = 1): this {
    for (let i = 0; i < FLOW_BUCKETS; i += 1)
      this.counts[i] = (this.counts[i] as number) + sign * (other.counts[i] as number);
    this.errors += sign * other.errors;
    this.refused += sign * other.refused;
    this.sumMs += sign * other.sumMs;
    this.extra += sign * other.extra;
    if (sign > 0 && other.maxMs > this.maxMs) this.maxMs = other.maxMs;
    return this;
  }

  clear(): void {
    this.counts.fill(0);
    this.errors = this.refused = this.sumMs = this.maxMs = this.extra = 0;
  }
}

/** Records of a block of memory. */
const BLOCK = 1024;

/**
 * What flows have counted in one step of time each, in bounded memory: when it is full, the oldest record makes room, whosever it
 * is. A flow that has counted nothing in a step takes none, so that a busy one pushes out no other. The memory is made block by
 * block as records come, and kept: a gateway with few routes never has more than the first ones.
 */
export class SlotRing {
  readonly #blocks: Uint32Array[] = [];
  readonly #capacity: number;
  #pushed = 0;

  /** @param capacity how many records there are at most. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The number of the oldest record that is there; they are numbered from 0 in the order in which they came. */
  get first(): number {
    return Math.max(0, this.#pushed - this.#capacity);
  }

  /** One more than the number of the newest. */
  get end(): number {
    return this.#pushed;
  }

  get isFull(): boolean {
    return this.#pushed >= this.#capacity;
  }

  /** Adds a record. @param step the time that it is of, as the number of its step. */
  push(id: number, step: number, sums: Sums): void {
    const slot = this.#pushed % this.#capacity;
    const words = (this.#blocks[Math.floor(slot / BLOCK)] ??= this.#newBlock(slot));
    const at = (slot % BLOCK) * RECORD_WORDS;
    words[at + ID] = id;
    words[at + STEP] = step;
    words[at + ERRORS] = sums.errors;
    words[at + REFUSED] = sums.refused;
    words[at + SUM] = bounded(sums.sumMs * UNITS_PER_MS);
    words[at + MOST] = bounded(sums.maxMs * UNITS_PER_MS);
    words[at + EXTRA] = bounded(sums.extra);
    words.set(sums.counts, at + HEAD);
    this.#pushed += 1;
  }

  idOf(record: number): number {
    return this.#word(record, ID);
  }

  stepOf(record: number): number {
    return this.#word(record, STEP);
  }

  /** Adds what a record says, or takes it away. */
  addTo(record: number, sums: Sums, sign: 1 | -1 = 1): void {
    const slot = record % this.#capacity;
    const words = this.#blocks[Math.floor(slot / BLOCK)];
    // It was never pushed.
    if (words === undefined) return;
    const at = (slot % BLOCK) * RECORD_WORDS;
    const { counts } = sums;
    for (let i = 0; i < FLOW_BUCKETS; i += 1)
      counts[i] = (counts[i] as number) + sign * (words[at + HEAD + i] as number);
    sums.errors += sign * (words[at + ERRORS] as number);
    sums.refused += sign * (words[at + REFUSED] as number);
    sums.sumMs += (sign * (words[at + SUM] as number)) / UNITS_PER_MS;
    sums.extra += sign * (words[at + EXTRA] as number);
    const maxMs = (words[at + MOST] as number) / UNITS_PER_MS;
    if (sign > 0 && maxMs > sums.maxMs) sums.maxMs = maxMs;
  }

  #word(record: number, index: number): number {
    const slot = record % this.#capacity;
    return this.#blocks[Math.floor(slot / BLOCK)]?.[(slot % BLOCK) * RECORD_WORDS + index] ?? 0;
  }

  /** The block of a slot: the last one is as short as the capacity leaves it. */
  #newBlock(slot: number): Uint32Array {
    const first = slot - (slot % BLOCK);
    return new Uint32Array(Math.min(BLOCK, this.#capacity - first) * RECORD_WORDS);
  }
}

function bounded(value: number): number {
  return Math.min(MOST_WORD, Math.round(value));
}
