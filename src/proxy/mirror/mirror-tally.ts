import type { Differences } from './json-differences.ts';

/** What is told of a difference: where it is, and not what stands there. */
export interface DifferenceSample {
  /** Id of the request. */
  readonly id: string;
  readonly paths: readonly string[];
  /** The status of the route's answer, and of the mirrored one. */
  readonly statuses: readonly [number, number];
}

/** Who hears what is counted. */
export interface TallyHearer {
  counted(outcome: string): void;
  compared(result: 'same' | 'different' | 'skipped'): void;
  differed(kind: string): void;
  sampled(kind: string, sample: DifferenceSample): void;
}

const SAMPLE_EVERY_MS = 60_000;

/** The mirrored requests of one route: how many are under way, and what is told of them. */
export class MirrorTally {
  readonly #hearer: TallyHearer;
  readonly #now: () => number;
  readonly #sampledAt = new Map<string, number>();
  #inFlight = 0;

  /** @param now a clock in ms that never jumps. */
  constructor(hearer: TallyHearer, now: () => number = () => performance.now()) {
    this.#hearer = hearer;
    this.#now = now;
  }

  /** How many are under way. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Counts one in, to be counted out by {@link leave}. @returns false when there are as many as may be. */
  enter(max: number): boolean {
    if (this.#inFlight >= max) {
      this.#hearer.counted('dropped');
      return false;
    }
    this.#inFlight += 1;
    return true;
  }

  /** Counts one out. */
  leave(): void {
    this.#inFlight -= 1;
  }

  /** Counts what became of one. */
  counted(outcome: string): void {
    this.#hearer.counted(outcome);
  }

  /** Counts what came of a comparison; one sample of each kind is told in a minute. @param differences undefined: skipped. */
  compared(differences: Differences | undefined, about: Omit<DifferenceSample, 'paths'>): void {
    if (differences === undefined) return this.#hearer.compared('skipped');
    this.#hearer.compared(differences.size === 0 ? 'same' : 'different');
    for (const [kind, paths] of differences) {
      this.#hearer.differed(kind);
      const now = this.#now();
      if (now - (this.#sampledAt.get(kind) ?? -Infinity) < SAMPLE_EVERY_MS) continue;
      this.#sampledAt.set(kind, now);
      this.#hearer.sampled(kind, { ...about, paths });
    }
  }
}
