/** How far back it looks: five to six slots. */
const SLOT_MS = 30_000;
const SLOTS = 6;
/** Widths of buckets grow by this factor from 1 ms on: what is told is at most so much too long. */
const GROWTH = 1.05;
/** The last one takes whatever is above 4 minutes. */
const BUCKETS = 256;
const CELLS = SLOTS * BUCKETS;
const QUANTILE = 0.95;
/** With fewer, nothing is told. */
const ENOUGH = 100;
/** How long a result is kept, in ms. */
const KEPT_MS = 1000;

/**
 * How long first attempts took until the head of their answer, over the last two and a half to three minutes. Of those that
 * were given up it is only known that they would have taken longer: they count as at risk until then and as nothing
 * after it (the estimator of Kaplan and Meier), so that giving up the slow ones does not make the rest look quick.
 * Holds 12 KiB, and allocates nothing later.
 */
export class HeadTimes {
  /** By slot and bucket. */
  readonly #answered = new Uint32Array(CELLS);
  readonly #givenUp = new Uint32Array(CELLS);
  /** By slot. */
  readonly #counts = new Uint32Array(SLOTS);
  #slot = 0;
  #computedAt = -Infinity;
  #p95: number | undefined = undefined;

  /**
   * Counts an attempt that was answered.
   *
   * @param ms from its start to the head of the answer.
   * @param now on the clock of `performance.now()`.
   */
  answered(ms: number, now: number): void {
    this.#count(this.#answered, ms, now);
  }

  /** Counts an attempt that was given up after so long without a head. */
  givenUp(ms: number, now: number): void {
    this.#count(this.#givenUp, ms, now);
  }

  /**
   * The 95th percentile in ms: `Infinity` when so many were given up that it lies beyond what was waited for, undefined
   * before 100 attempts were counted. It is computed once a second.
   */
  p95(now: number): number | undefined {
    if (now - this.#computedAt < KEPT_MS) return this.#p95;
    this.#advance(now);
    this.#computedAt = now;
    const counted = this.#counts.reduce((sum, count) => sum + count, 0);
    return (this.#p95 = counted < ENOUGH ? undefined : this.#quantile(counted));
  }

  #count(cells: Uint32Array, ms: number, now: number): void {
    this.#advance(now);
    const slot = this.#slot % SLOTS;
    const at = slot * BUCKETS + bucketOf(ms);
    cells[at] = (cells[at] as number) + 1;
    this.#counts[slot] = (this.#counts[slot] as number) + 1;
  }

  #quantile(counted: number): number {
    let atRisk = counted;
    let surviving = 1;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      const answered = sumOf(this.#answered, bucket);
      if (answered > 0) surviving *= 1 - answered / atRisk;
      // Floating point has 0.05 a little too large now and then.
      if (surviving <= 1 - QUANTILE + Number.EPSILON) return GROWTH ** (bucket + 1);
      atRisk -= answered + sumOf(this.#givenUp, bucket);
    }
    return Infinity;
  }

  #advance(now: number): void {
    const slot = Math.floor(now / SLOT_MS);
    if (slot <= this.#slot) return;
    const passed = Math.min(slot - this.#slot, SLOTS);
    for (let i = 0; i < passed; i += 1) {
      const old = (slot - i) % SLOTS;
      this.#answered.fill(0, old * BUCKETS, (old + 1) * BUCKETS);
      this.#givenUp.fill(0, old * BUCKETS, (old + 1) * BUCKETS);
      this.#counts[old] = 0;
    }
    this.#slot = slot;
  }
}

function bucketOf(ms: number): number {
  const bucket = Math.floor(Math.log(ms) / Math.log(GROWTH));
  return Math.min(BUCKETS - 1, Math.max(0, bucket));
}

function sumOf(cells: Uint32Array, bucket: number): number {
  let sum = 0;
  for (let at = bucket; at < CELLS; at += BUCKETS) sum += cells[at] as number;
  return sum;
}
