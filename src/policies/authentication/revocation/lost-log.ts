import type { LoggedRevocation } from './revocation-log.ts';
import type { Digest } from './revocation-marks.ts';
import { RevocationSet } from './revocation-set.ts';
import type { RevocationStamp } from './revocation-table.ts';

/** Looked at, and so written, at a time: about a thousand, which Redis takes in time also when it is busy. */
const SLOTS = 2048;
/** Looked at in one go where there is nothing to write. */
const MOST_SLOTS = 65_536;
/** Replicas do not all write at once: who comes later finds most of it written. */
const LONGEST_DELAY_MS = 1000;

/** What a log has lost: whatever is known and not found in it. */
export class LostLog {
  readonly #known: RevocationSet;
  readonly #found: RevocationSet;
  readonly #beginsAt = performance.now() + Math.random() * LONGEST_DELAY_MS;
  #next: number | undefined = 0;
  #again: readonly LoggedRevocation[] = [];

  constructor(known: RevocationSet) {
    this.#known = known;
    this.#found = new RevocationSet(known.bounds);
  }

  /** Takes note of what the log has. */
  found(entries: readonly LoggedRevocation[]): void {
    for (const { digest, time, stamp } of entries) this.#found.add(digest, time, stamp);
  }

  /** Some of what it has not, perhaps nothing; undefined once that was all. */
  next(): readonly LoggedRevocation[] | undefined {
    if (performance.now() < this.#beginsAt) return [];
    const again = this.#again;
    this.#again = [];
    if (again.length > 0) return again;
    if (this.#next === undefined) return undefined;
    const missing: LoggedRevocation[] = [];
    for (let seen = 0; seen < MOST_SLOTS && missing.length === 0 && this.#next !== undefined; seen += SLOTS) {
      this.#next = this.#known.some(this.#next, SLOTS, (digest, time, stamp) => {
        // With its stamp, so that one that was taken back stays so whatever else is written again.
        if (this.#lacks(digest, stamp)) missing.push({ digest, time, stamp });
      });
    }
    return missing;
  }

  #lacks(digest: Digest, stamp: RevocationStamp): boolean {
    const found = this.#found.stampOf(digest);
    if (this.#found.find(digest) === 0 && found >= 0) return true;
    const later = Math.abs(stamp) - Math.abs(found);
    return later > 0 || (later === 0 && found < 0 && stamp >= 0);
  }

  /** Takes back what could not be written. */
  again(missing: readonly LoggedRevocation[]): void {
    this.#again = missing;
  }
}
