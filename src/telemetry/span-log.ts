/**
 * What a note is about: an attempt at a target; a call of gRPC, of which attempts are parts; a call of a module; a section of
 * a view; an operation of GraphQL, one event of a subscription, and a resolver that makes calls; what waits for a policy; and
 * what waits for the store.
 */
export type SpanSort =
  | 'attempt'
  | 'rpc'
  | 'call'
  | 'section'
  | 'operation'
  | 'event'
  | 'resolver'
  | 'stage'
  | 'store';

/** What is known of an attempt besides when it was. */
export interface AttemptFacts {
  readonly upstream: string;
  /** `host:port` of the target. */
  readonly target: string;
  readonly protocol: 'http' | 'grpc';
  readonly scheme: 'http' | 'https';
  /** How many attempts there were before it. */
  readonly resends: number;
  /** Whether it stands beside another one that is slow. */
  readonly isHedge: boolean;
  /** What is asked for, once it is. */
  method: string;
  /** Path and query. */
  path: string;
  /** Three digits, once an answer of HTTP has begun; it may break off after that. */
  status: string;
}

/** One thing that an exchange does, from its beginning to its end. As small as can be: most are never read. */
export class SpanNote {
  readonly sort: SpanSort;
  /** Of the configuration or the code, never of a client. */
  readonly name: string;
  readonly parent: SpanNote | undefined;
  readonly facts: object | undefined;
  /** On the clock of `performance.now()`. */
  readonly startedAt = performance.now();
  /** The same; 0 until it has ended. */
  endedAt = 0;
  /** How it ended, in one word; empty until then. */
  outcome = '';
  /** Whether that is a fault. */
  isFault = false;
  /** 16 hex digits; empty until somebody has to know it. */
  spanId = '';

  constructor(sort: SpanSort, name: string, parent?: SpanNote, facts?: object) {
    this.sort = sort;
    this.name = name;
    this.parent = parent;
    this.facts = facts;
  }

  /** Takes note of the end; what ends more than once ended the last time. */
  end(outcome: string, isFault: boolean): void {
    this.endedAt = performance.now();
    this.outcome = outcome;
    this.isFault = isFault;
  }
}

/** So many things of one exchange become spans. */
export const MOST_NOTES = 256;

/** What one exchange does, for the spans that are made of it at its end. Bounded; those beyond are counted. */
export class SpanLog {
  notes: SpanNote[] = [];
  /** Whether spans may be made of it; otherwise only operators see it, and nobody is told of it. */
  readonly isExported: boolean;
  readonly #most: number;
  #isOver = false;
  /** Whether spans were made of it; written at its end. */
  isKept = false;
  /** How many there were beyond those that are kept. */
  left = 0;
  /** Tells what is running just now, where somebody knows: what is asked for then is a part of it. */
  placeOf: (() => SpanNote | undefined) | undefined = undefined;

  /** @param most so many notes are kept. @param isExported whether spans may be made of it. */
  constructor(most = MOST_NOTES, isExported = true) {
    this.#most = most;
    this.isExported = isExported;
  }

  /** Takes note of something that begins. @returns undefined when there were too many. */
  begin(sort: SpanSort, name: string, parent?: SpanNote, facts?: object): SpanNote | undefined {
    if (this.#isOver || this.notes.length >= this.#most) {
      this.left += 1;
      return undefined;
    }
    const note = new SpanNote(sort, name, parent, facts);
    this.notes.push(note);
    return note;
  }

  /** Takes out what has ended. */
  takeEnded(): readonly SpanNote[] {
    const ended = this.notes.filter(({ endedAt }) => endedAt !== 0);
    if (ended.length > 0) this.notes = this.notes.filter(({ endedAt }) => endedAt === 0);
    return ended;
  }

  /** Takes no more notes: the exchange is over. */
  end(): void {
    this.#isOver = true;
    this.notes = [];
  }

  /** Takes note of what is waited for; how it ends is told by its word. */
  wait<Value>(sort: SpanSort, name: string, waited: Promise<Value>, wordOf: (value: Value) => string): void {
    const note = this.begin(sort, name);
    if (note === undefined) return;
    waited.then(
      (value) => note.end(wordOf(value), false),
      (error: unknown) => note.end(faultName(error), true),
    );
  }
}

/** What a note calls an error: the code of a problem, or the name of its class. */
export function faultName(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'internal';
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  if (typeof code === 'string') return code;
  return typeof name === 'string' ? name : 'internal';
}
