import type { StoredAnswer } from '../../exchange/exchange.ts';

/** A stored answer with its times, on the clock of `Date.now()`. */
export interface Entry {
  readonly answer: StoredAnswer;
  /** Request fields that the answer depends on, with the values it was made for. */
  readonly vary: readonly (readonly [name: string, value: string])[];
  /** When the answer was made, as far as its `Age` tells. */
  readonly storedAt: number;
  readonly freshUntil: number;
  readonly staleUntil: number;
}

const DEFAULT_MAX_BYTES = 64 * 2 ** 20;
const ENTRY_OVERHEAD_BYTES = 512;

/**
 * Keeps answers in this process, bounded in bytes; the one that was used longest ago goes first.
 * A key holds one answer: another variant (`Vary`) replaces it.
 */
export class AnswerStore {
  readonly #entries = new Map<string, Entry>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes = DEFAULT_MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** The entry of a key, fresh or stale, or undefined. */
  get(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (entry.staleUntil <= Date.now()) {
      this.#bytes -= weightOf(key, entry);
      return undefined;
    }
    this.#entries.set(key, entry);
    return entry;
  }

  /** Stores an entry. */
  set(key: string, entry: Entry): void {
    this.delete(key);
    const weight = weightOf(key, entry);
    if (weight > this.#maxBytes) return;
    this.#entries.set(key, entry);
    this.#bytes += weight;
    while (this.#bytes > this.#maxBytes) this.delete(this.#entries.keys().next().value ?? '');
  }

  /** Removes an entry. */
  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= weightOf(key, entry);
  }
}

function weightOf(key: string, entry: Entry): number {
  return key.length + entry.answer.body.length + ENTRY_OVERHEAD_BYTES;
}
