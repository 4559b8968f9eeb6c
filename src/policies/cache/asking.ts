import type { Answer, Exchange } from '../../exchange/exchange.ts';
import { fieldOf } from '../../exchange/field-list.ts';
import type { AnswerKey, AnswerStore, StoreMark } from './answer-store.ts';
import type { BodyCoder } from './body-coder.ts';
import { forwardedStatus, type Forwarded } from './cache-status.ts';
import { carriesCredentials, isBeyondKey, variantOf, type CacheScope } from './caller-key.ts';
import { agedEntry, type CodedBody, type Entry } from './entry.ts';
import type { Landing } from './flights.ts';
import { freshnessOf, varyNames, type Freshness } from './freshness.ts';
import { findingOf } from './head-update.ts';
import { makeEntry, updatedBy, type EntryTimes } from './make-entry.ts';
import type { Fate, Recorder } from './recording.ts';
import { storedAnswer } from './stored-answer.ts';
import { isCodable, type RouteCoding } from './stored-coding.ts';
import type { SharedAnswers, SharedMark } from './shared-answers.ts';
import { tagsOf } from './tag-slots.ts';
import { selectedBy, type Validation } from './validation.ts';

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
  /** How bodies are kept compressed; undefined for as they come. */
  readonly coding?: RouteCoding | undefined;
  readonly coder: BodyCoder;
  /** In lower case. */
  readonly targets: readonly string[];
}

/** Why and for what the upstream is asked. */
export interface AskingFor {
  readonly key: AnswerKey;
  /** What is stored, and stale. */
  readonly entry: Entry | undefined;
  readonly why: Forwarded;
  /** What the upstream is asked whether it still holds; undefined for nothing. */
  readonly validation?: Validation | undefined;
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
    this.#mark = keeping.store.mark();
  }

  began(status: number, headers: readonly string[]): Fate {
    const { entry, land, validation } = this.#for;
    if (this.#exchange.method === 'HEAD') return this.#heardHead(status, headers);
    if (
      status === NOT_MODIFIED &&
      validation !== undefined &&
      this.#exchange.validators === validation.fields
    ) {
      const selected = selectedBy(validation, headers);
      if (selected !== undefined) return this.#validated(selected, headers);
      land?.('failed');
      // Fails closed: any of them would be a guess, and the client has not asked for a 304.
      return 'unfit';
    }
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
    const kept = freshness.storable ? this.#keep(answer, freshness, entry.coded) : undefined;
    if (kept === undefined) this.#remove(entry);
    this.#exchange.confirmedBy = news;
    this.#land(kept);
    if (this.#for.isInBackground === true) return 'pass';
    const shown = kept ?? { ...entry, answer, lines: undefined, storedAt: Date.now() };
    const status = forwardedStatus(this.#for.why, { status: NOT_MODIFIED, isStored: kept !== undefined });
    const codings = this.#keeping.coding?.offered;
    return storedAnswer(shown, this.#exchange, { verdict: 'REVALIDATED', status, codings });
  }

  // Nothing of it is kept by itself; it says whether what GET was answered still is (RFC 9111 section 4.3.5).
  #heardHead(status: number, headers: readonly string[]): 'pass' {
    const { key, entry, mark } = this.#for;
    const finding = entry === undefined ? 'says-nothing' : findingOf(entry, status, headers);
    if (entry === undefined || finding === 'says-nothing') return 'pass';
    const { store, shared } = this.#keeping;
    const answer = updatedBy(entry.answer, headers);
    const freshness = this.#freshnessOf(answer.status, answer.headers);
    if (finding === 'updates' && freshness.storable) {
      this.#keep(answer, freshness, entry.coded);
      return 'pass';
    }
    const aged = agedEntry(entry, Date.now());
    if (store.replace(key, entry, aged) && mark !== undefined) shared?.keep(key, aged, mark);
    return 'pass';
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
    return isBeyond || isStream || tagsOf(headers, this.#exchange.host) === undefined
      ? { ...freshness, storable: false }
      : freshness;
  }

  #keep(answer: Answer, freshness: Freshness, coded?: CodedBody): Entry | undefined {
    const { store, times, isOfHandler } = this.#keeping;
    const { key } = this.#for;
    const tags = store.tags.marksOf(tagsOf(answer.headers, this.#exchange.host) ?? []);
    // What was asked for before something changed may show how it was before.
    if (!store.isUnchanged(key.uri, this.#mark, tags)) return undefined;
    const vary = varyNames(answer.headers);
    const entry = makeEntry(answer, {
      freshness,
      times,
      vary,
      variant: variantOf(this.#exchange, vary),
      tags,
      coded,
      tookMs: Date.now() - this.#askedAt,
      isWhole: isOfHandler === true,
    });
    if (entry !== undefined) {
      store.set(key, entry);
      this.#share(entry);
    }
    return entry;
  }

  // Nobody waits for it, neither for Redis nor for the body to be compressed first, so that it is written once.
  #share(entry: Entry): void {
    const { store, shared, coding, coder } = this.#keeping;
    const { key, mark } = this.#for;
    const write = (one: Entry): void => {
      if (mark !== undefined) shared?.keep(key, one, mark);
    };
    if (entry.coded !== undefined || coding === undefined || !isCodable(entry.answer, coding))
      return write(entry);
    const { answer } = entry;
    void coder.code(answer.body, coding.coding).then((body) => {
      if (body === undefined) return write(entry);
      const coded = { coding: coding.coding, length: answer.body.length };
      const small = { ...entry, answer: { ...answer, body }, coded };
      if (store.replace(key, entry, small)) write(small);
    });
  }
}
