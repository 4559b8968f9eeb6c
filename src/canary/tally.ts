import { durationBucket, isBucket, type DurationCounts } from './latency-histogram.ts';
import type { SideCounts } from './verdict.ts';

/** The two sides that are compared. */
export type SideName = 'canary' | 'stable';

/** Counts of one side that grow. */
export class SideTally implements SideCounts {
  attempts = 0;
  failures = 0;
  readonly durations: DurationCounts = new Map();

  /** Counts an attempt. */
  count(failed: boolean, durationMs: number): void {
    this.attempts += 1;
    if (failed) this.failures += 1;
    // What fails fast must not make a side look quick.
    else this.#add(durationBucket(durationMs), 1);
  }

  /** Counts an attempt as failed that was counted as none. */
  correct(): void {
    this.failures += 1;
  }

  add(other: SideCounts): void {
    this.attempts += other.attempts;
    this.failures += other.failures;
    for (const [bucket, count] of other.durations) this.#add(bucket, count);
  }

  #add(bucket: number, count: number): void {
    this.durations.set(bucket, (this.durations.get(bucket) ?? 0) + count);
  }
}

const LETTERS = { canary: 'c', stable: 's' } as const;

/** What was measured of both sides during one step. */
export class Tally {
  readonly canary = new SideTally();
  readonly stable = new SideTally();

  /** Whether nothing was. */
  get isEmpty(): boolean {
    return this.canary.attempts + this.stable.attempts + this.canary.failures + this.stable.failures === 0;
  }

  add(other: Tally): void {
    this.canary.add(other.canary);
    this.stable.add(other.stable);
  }

  /** As fields of a hash with numbers to add: names and values in turn. */
  toFields(): string[] {
    const fields: string[] = [];
    for (const side of ['canary', 'stable'] as const) {
      const { attempts, failures, durations } = this[side];
      const letter = LETTERS[side];
      if (attempts > 0) fields.push(`${letter}a`, String(attempts));
      if (failures > 0) fields.push(`${letter}f`, String(failures));
      for (const [bucket, count] of durations) fields.push(`${letter}${bucket}`, String(count));
    }
    return fields;
  }

  /** Reads what {@link toFields} has written; what is none of that is left out. */
  static fromFields(fields: readonly string[]): Tally {
    const tally = new Tally();
    for (let i = 0; i + 1 < fields.length; i += 2) {
      const [name = '', count] = [fields[i], Number(fields[i + 1])];
      const side = name.startsWith('c') ? tally.canary : tally.stable;
      const rest = name.slice(1);
      if (!Number.isSafeInteger(count)) continue;
      if (rest === 'a') side.attempts = count;
      else if (rest === 'f') side.failures = count;
      else if (isBucket(Number(rest))) side.durations.set(Number(rest), count);
    }
    return tally;
  }
}
