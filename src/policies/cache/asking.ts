import type { Answer, Exchange } from '../../exchange/exchange.ts';
import { fieldOf } from '../../exchange/field-list.ts';
import type { AnswerKey, AnswerStore, StoreMark } from './answer-store.ts';
import { forwardedStatus, type Forwarded } from './cache-status.ts';
import { carriesCredentials, isBeyondKey, variantOf, type CacheScope } from './caller-key.ts';
import type { Entry } from './entry.ts';
import type { Landing } from './flights.ts';
import { freshnessOf, varyNames, type Freshness } from './freshness.ts';
import { makeEntry, updatedBy, type EntryTimes } from './make-entry.ts';
import type { Recorder } from './recording.ts';
import { storedAnswer } from './stored-answer.ts';
import type { SharedAnswers, SharedMark } from './shared-answers.ts';
import { tagsOf } from './tag-slots.ts';

/** How answers of a route are kept. */
export interface Keeping {
  readonly store: AnswerStore;
  /** Answers in Redis; undefined where the route keeps none there. */
  readonly shared?: SharedAnswers | undefined;
  readonly scope: CacheScope;
  readonly times: EntryTimes;
  readonly maxBody: number;
  /** Whether answers are a handler's: kept as they were edited for their caller, and asked for anew as a whole. Default false. */
  readonly isOfHandler?: boolean;
  /** In lower case. */
  readonly targets: readonly string[];
}

/** Why and for what the upstream is asked. */
export interface AskingFor {
  readonly key: AnswerKey;
  /** What is stored, and stale. */
  readonly entry: Entry | undefined;
  readonly why: Forwarded;
  /** Tells those who wait how it ended. */
  readonly land: ((landing: Landing) => void) | undefined;
  /** Has it go on without its client while others wait; undefined where nobody can. */
  readonly outlive?: ((end: () => void) => boolean) | undefined;
  /** Under what the answer may be written to Redis; undefined where Redis was not asked, or has not answered. */
  readonly mark?: SharedMark | undefined;
  /** Whether nobody is answered with it. */
  readonly isInBackground?: boolean;
}

const NOT_MODIFIED = 304;
const FIRST_FAILURE_STATUS = 500;

/** One request that the upstream is asked, and whose answer is kept if it may be. */
export class Asking implements Recorder {
  readonly #keeping: Keeping;
  readonly #exchange: Exchange;
  readonly #for: AskingFor;
  readonly #mark: StoreMark;
  readonly #askedAt = Date.now();
  #freshness: Freshness | undefined = undefined;

  constructor(keeping: Keeping, exchange: Exchange, asked: AskingFor) {
    this.#keeping = keeping;
    this.#exchange = exchange;
    this.#for = asked;
    this.#mark = keeping.store.mark(asked.key.uri);
  }

  began(status: number, headers: readonly string[]): 'keep' | 'pass' | Answer {
    const { entry, land } = this.#for;
    if (status === NOT_MODIFIED && entry !== undefined && this.#exchange.validators === entry.validators)
      return this.#validated(entry, headers);
    this.#freshness = this.#freshnessOf(status, headers);
    const length = Number(fieldOf(headers, 'content-length') ?? 0);
    if (this.#freshness.storable && length <= this.#keeping.maxBody) return 'keep';
    const isFailure = status >= FIRST_FAILURE_STATUS;
    // What there is now is not what was stored, and may be nobody else's.
    if (entry !== undefined && !isFailure) this.#remove(entry);
    land?.(isFailure ? 'failed' : 'refused');
    return 'pass';
  }

  told(status: number, isStored: boolean): string {
    return forwardedStatus(this.#for.why, { status, isStored });
  }

  completed(answer: Answer): void {
    const kept = this.#keep(answer, this.#freshness as Freshness);
    this.#land(kept);
  }

  gaveUp(isTooLarge: boolean): void {
    const { land } = this.#for;
    if (isTooLarge) land?.('refused');
    // Who left says nothing about the upstream: the next one of those who wait asks.
    else land?.(this.#exchange.cancelled === undefined ? 'failed' : 'left');
  }

  outlives(end: () => void): boolean {
    return this.#for.outlive?.(end) === true;
  }

  #land(kept: Entry | undefined): void {
    const isOfUse = kept !== undefined && kept.freshUntil > Date.now();
    this.#for.land?.(isOfUse ? 'stored' : 'refused');
  }

  #validated(entry: Entry, news: readonly string[]): 'pass' | Answer {
    const answer = updatedBy(entry.answer, news);
    const freshness = this.#freshnessOf(answer.status, answer.headers);
    const kept = freshness.storable ? this.#keep(answer, freshness) : undefined;
    if (kept === undefined) this.#remove(entry);
    this.#land(kept);
    if (this.#for.isInBackground === true) return 'pass';
    const shown = kept ?? { ...entry, answer, lines: undefined, storedAt: Date.now() };
    const status = forwardedStatus(this.#for.why, { status: NOT_MODIFIED, isStored: kept !== undefined });
    return storedAnswer(shown, this.#exchange, { verdict: 'REVALIDATED', status });
  }

  #remove(entry: Entry): void {
    const { store, shared } = this.#keeping;
    store.remove(this.#for.key, entry);
    shared?.drop(this.#for.key);
  }

  #freshnessOf(status: number, headers: readonly string[]): Freshness {
    const { scope, targets } = this.#keeping;
    const { principal } = this.#exchange;
    const isShared = scope === 'public' || principal === undefined;
    const owner = {
      isShared,
      isOneUser: !isShared && principal.subject !== undefined,
      authenticated: carriesCredentials(this.#exchange),
    };
    const freshness = freshnessOf(status, headers, owner, targets);
    // Fails closed: a variant that cannot be told apart is not kept, nor what could not be purged; a stream has no end.
    const isBeyond = varyNames(headers).some((name) => isBeyondKey(name, scope));
    const isStream = fieldOf(headers, 'content-type')?.toLowerCase().startsWith('text/event-stream') === true;
    return isBeyond || isStream || tagsOf(headers) === undefined
      ? { ...freshness, storable: false }
      : freshness;
  }

  #keep(answer: Answer, freshness: Freshness): Entry | undefined {
    const { store, shared, times, isOfHandler } = this.#keeping;
    const { key, mark } = this.#for;
    const tags = tagsOf(answer.headers) ?? [];
    // What was asked for before something changed may show how it was before.
    if (!store.isUnchanged(key.uri, this.#mark, tags.length > 0)) return undefined;
    const vary = varyNames(answer.headers);
    const entry = makeEntry(answer, {
      freshness,
      times,
      vary,
      variant: variantOf(this.#exchange, vary),
      tags: store.tags.marksOf(tags),
      tookMs: Date.now() - this.#askedAt,
      isWhole: isOfHandler === true,
    });
    if (entry !== undefined) store.set(key, entry);
    if (entry !== undefined && mark !== undefined) shared?.keep(key, entry, mark);
    return entry;
  }
}
