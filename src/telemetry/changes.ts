/** What a change is of. */
export const CHANGE_KINDS = [
  'start',
  'reload',
  'order',
  'breaker',
  'ejection',
  'discovery',
  'canary',
  'certificate',
  'worker',
] as const;
/** One of {@link CHANGE_KINDS}. */
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** Something that has changed how requests fare, or may have. */
export interface Change {
  readonly kind: ChangeKind;
  /** In a sentence; no secrets. */
  readonly text: string;
  readonly upstream?: string | undefined;
  /** `host:port`. */
  readonly target?: string | undefined;
  /** Id of the route. */
  readonly route?: string | undefined;
}

/** The same with when it was. */
export interface NotedChange extends Change {
  /** In ms since the epoch. */
  readonly at: number;
  /** Which worker has noted it, from 1; absent where one process serves alone, and for what concerns all. */
  readonly worker?: number | undefined;
}

/** Most changes that are kept. */
export const MOST_CHANGES = 1000;
const LONGEST_TEXT = 500;

/** What has changed lately, the oldest first: a time line of bounded length, in the memory of this process only. */
export class Changes {
  readonly #kept: NotedChange[] = [];
  readonly #hearers: ((change: NotedChange) => void)[] = [];
  #left = 0;

  /** Takes note of a change that happens now. */
  note(change: Change): void {
    this.take({ ...change, at: Date.now() });
  }

  /** Takes over a change that was noted elsewhere. */
  take(change: NotedChange): void {
    const kept = { ...change, text: change.text.slice(0, LONGEST_TEXT) };
    if (this.#kept.push(kept) > MOST_CHANGES) {
      this.#kept.shift();
      this.#left += 1;
    }
    for (const hear of this.#hearers) hear(kept);
  }

  /** Tells every change from now on. */
  listen(hear: (change: NotedChange) => void): void {
    this.#hearers.push(hear);
  }

  /** How many are not kept any more. */
  get left(): number {
    return this.#left;
  }

  /** Those since a time, in ms since the epoch, the latest last. */
  since(at: number): readonly NotedChange[] {
    return this.#kept.filter((change) => change.at >= at);
  }
}
