import type { Exchange } from '../../../exchange/exchange.ts';
import { OpenExchanges } from '../../../exchange/open-exchanges.ts';
import { credentialsOf, type Principal } from '../../../exchange/principal.ts';
import { Problem } from '../../../problems/problem.ts';
import { unavailable } from '../verifier.ts';
import { endExchange } from './revoked-exchange.ts';
import { RevocationFeed, type FeedDeps, type FeedHost } from './revocation-feed.ts';
import type { LoggedRevocation } from './revocation-log.ts';
import type { RevocationOptions } from './revocation.schema.ts';
import { RevocationSet } from './revocation-set.ts';
import { RevocationReport, type RevocationState, type RevocationTelemetry } from './revocation-report.ts';

/** How often it is looked whether what is known is old, and moved on with what is to be moved. */
const LOOK_MS = 200;
/** Slots that move at each look. */
const MOVED_PER_LOOK = 65_536;
/** How soon open exchanges are looked through again: a flood of revocations may not take all of the time. */
const SWEEP_EVERY_MS = 100;
const RETRY_AFTER_MS = 1000;

/** What a process needs to know of the revocations of others; without Redis there are no others. */
export interface RevocationDeps extends RevocationTelemetry {
  readonly store?: FeedDeps | undefined;
}

/**
 * Who is revoked: a local set that each request is checked against without asking anybody, kept fresh from Redis, and the
 * exchanges of known callers that are under way, which end when their caller is revoked.
 */
export class Revocations implements FeedHost {
  readonly set = new RevocationSet({ max: 1, longest: 1000 });
  /** Exchanges that are under way and may have to end: one list for whoever ends some of them. */
  readonly exchanges = new OpenExchanges();
  readonly #store: FeedDeps | undefined;
  readonly #report: RevocationReport;
  #options: RevocationOptions | undefined = undefined;
  #feed: RevocationFeed | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #state: RevocationState = 'off';
  /** Whether nobody is let in, because nobody knows who is revoked. */
  #isBlind = false;
  /** Since the last one that there was no room for. */
  #isFull = false;
  /** What open exchanges were not looked through for yet. */
  #news: RevocationSet | undefined = undefined;
  #sweep: NodeJS.Timeout | undefined = undefined;
  #sweptAt = -Infinity;

  constructor(deps: RevocationDeps = {}) {
    this.#store = deps.store;
    this.#report = new RevocationReport(deps, this);
  }

  /** How the knowledge of this process is. */
  get state(): RevocationState {
    return this.#state;
  }

  /** The options in force; undefined where nothing can be revoked. */
  get options(): RevocationOptions | undefined {
    return this.#options;
  }

  /** How old the knowledge of this process is, in ms; 0 without Redis, Infinity before all was read. */
  get ageMs(): number {
    return this.#feed === undefined ? 0 : performance.now() - this.#feed.heardAt;
  }

  /** How many exchanges would end if their callers were taken back. */
  get open(): number {
    return this.exchanges.size;
  }

  /** The last entry of the log that was read; undefined without Redis. */
  get last(): string | undefined {
    return this.#feed?.last;
  }

  /** Whether it waits for the first knowledge, and lets nobody in before. */
  get isAwaited(): boolean {
    return this.#isBlind && this.#state === 'loading';
  }

  /** Takes over the options of a configuration; begins, goes on or ends. What is known stays known while it goes on. */
  use(options: RevocationOptions | undefined): void {
    this.#options = options;
    if (options === undefined) return this.stop();
    this.set.bounds = options;
    this.#report.begin();
    if (this.#timer === undefined) {
      this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
      this.#feed = this.#store && new RevocationFeed(this.#store, this);
      this.#feed?.start();
      if (this.#feed === undefined)
        this.warn('Revocations are of this process only, and end with it: set REDIS_URL.');
    }
    this.#look();
  }

  /** Ends it. */
  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#sweep);
    this.#timer = undefined;
    this.#sweep = undefined;
    this.#feed?.stop();
    this.#feed = undefined;
    this.#isBlind = false;
    this.#state = 'off';
  }

  /**
   * Lets a principal in, whatever its scheme, or does not; an exchange that is let in ends when its caller is revoked.
   *
   * @throws {Problem} `credentials-revoked`; `identity-unavailable` where it cannot be known, and that matters.
   */
  admit(exchange: Exchange, { marks }: Principal): void {
    if (marks === undefined) return;
    // Fails closed, where the configuration says so: it may have been revoked while nobody could tell us.
    if (this.#isBlind) throw unavailable(RETRY_AFTER_MS);
    if (this.set.revokes(marks)) {
      this.#report.refused();
      throw revoked();
    }
    this.exchanges.add(exchange);
  }

  /**
   * Revokes, here at once and at all replicas as soon as they hear of it.
   *
   * @returns whether all replicas will; this one does in any case, unless there is no room.
   */
  async revoke(revocations: readonly LoggedRevocation[]): Promise<'everywhere' | 'here' | 'nowhere'> {
    // What has no room here is told to nobody, so that nothing is missing anywhere.
    if (!this.#add(revocations)) return 'nowhere';
    if (this.#feed === undefined) return 'everywhere';
    return (await this.#feed.tell(revocations)) ? 'everywhere' : 'here';
  }

  heard(revocations: readonly LoggedRevocation[]): void {
    if (!this.#add(revocations)) this.#isFull = true;
  }

  warn(message: string): void {
    this.#report.warn(message);
  }

  /** @returns whether there was room for all of them. */
  #add(revocations: readonly LoggedRevocation[]): boolean {
    const news = (this.#news ??= new RevocationSet(this.set.bounds));
    let isRoom = true;
    for (const { digest, time } of revocations) {
      if (Math.abs(this.set.find(digest)) >= Math.abs(time)) continue;
      if (this.set.add(digest, time)) news.add(digest, time);
      else isRoom = false;
    }
    if (!news.isEmpty && this.#sweep === undefined) {
      const waitMs = this.#sweptAt + SWEEP_EVERY_MS - performance.now();
      if (waitMs <= 0) this.#endRevoked();
      else this.#sweep = setTimeout(() => this.#endRevoked(), waitMs);
    }
    return isRoom;
  }

  #endRevoked(): void {
    this.#sweep = undefined;
    this.#sweptAt = performance.now();
    const news = this.#news;
    this.#news = undefined;
    if (news === undefined) return;
    const isRevoked = ({ marks }: Principal): boolean => marks !== undefined && news.revokes(marks);
    this.#end(
      ({ principal }) => principal !== undefined && credentialsOf(principal).some(isRevoked),
      revoked(),
    );
  }

  #end(holds: (exchange: Exchange) => boolean, problem: Problem): void {
    const ended = this.exchanges.filter(holds);
    for (const exchange of ended) endExchange(exchange, problem);
    this.#report.ended(ended.length);
  }

  #look(): void {
    this.set.move(MOVED_PER_LOOK);
    const { onStoreError, staleAfter = 0, max = 0 } = this.#options ?? {};
    if (this.#isFull && this.set.count() < max) {
      this.#isFull = false;
      // What there was no room for is to be found again.
      this.#feed?.again();
    }
    const state = this.#stateNow(staleAfter);
    const wasBlind = this.#isBlind;
    this.#isBlind =
      onStoreError === 'closed' && (state === 'loading' || state === 'stale' || state === 'full');
    if (state === this.#state) return;
    const before = this.#state;
    this.#state = state;
    this.#report.changed(before, state, this.#isBlind);
    // Fails closed for those who are in, too.
    if (this.#isBlind && !wasBlind)
      this.#end(({ principal }) => principal?.marks !== undefined, unavailable(RETRY_AFTER_MS));
  }

  #stateNow(staleAfterMs: number): RevocationState {
    if (this.#isFull) return 'full';
    if (this.#feed === undefined) return 'alone';
    if (this.#feed.heardAt === -Infinity) return 'loading';
    return this.ageMs > staleAfterMs ? 'stale' : 'fresh';
  }
}

function revoked(): Problem {
  return new Problem('credentials-revoked', { detail: 'The credential was revoked.' });
}
