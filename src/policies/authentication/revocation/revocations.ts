import type { Exchange } from '../../../exchange/exchange.ts';
import { OpenExchanges } from '../../../exchange/open-exchanges.ts';
import { credentialsOf, type Principal } from '../../../exchange/principal.ts';
import { Problem } from '../../../problems/problem.ts';
import { unavailable } from '../verifier.ts';
import { endExchange } from './revoked-exchange.ts';
import { RevocationFeed, type FeedDeps, type FeedHost } from './revocation-feed.ts';
import type { LoggedRevocation } from './revocation-log.ts';
import { secondsOf, type Digest } from './revocation-marks.ts';
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
/** How often a revocation is told that others take back at the same time. */
const MOST_TRIES = 3;
/** What a table has room for. */
const LAST_STAMP = 2 ** 31 - 1;

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
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const stamped = revocations.map((one) => ({ ...one, stamp: this.#nextStamp(one.digest) }));
      // What has no room here is told to nobody, so that nothing is missing anywhere.
      if (!this.#add(stamped)) return 'nowhere';
      if (this.#feed === undefined) return 'everywhere';
      // Somebody may have taken one back of which nothing was known here yet, nor that it has been revoked.
      if (!(await this.#feed.tell(stamped)) || !(await this.#feed.caughtUp())) return 'here';
      if (!revocations.some(({ digest }) => this.set.stampOf(digest) < 0)) return 'everywhere';
    }
    // Fails closed: whoever asked is told to ask again.
    return 'here';
  }

  /**
   * Takes a revocation back, at all replicas as soon as they hear of it: only one that is known, so that what is ordered at the
   * same time elsewhere stays. Fails closed: without Redis it stays, here too.
   *
   * @param jti of a token, whose key is deleted.
   * @returns what became of it: `unknown` where nothing was revoked.
   */
  async undo(digest: Digest, jti?: string): Promise<'everywhere' | 'unknown' | 'nowhere'> {
    if (this.#feed !== undefined && !(await this.#feed.caughtUp())) return 'nowhere';
    if (!this.set.holds(digest)) return 'unknown';
    const time = Math.ceil(secondsOf(Date.now()));
    const stamp = this.set.stampOf(digest) + 1;
    // Nothing can be later than what somebody else must have written.
    if (stamp > LAST_STAMP) return 'nowhere';
    const undone = { digest, time, stamp: -stamp, undoes: jti ?? '' };
    if (this.#feed !== undefined && !(await this.#feed.tell([undone]))) return 'nowhere';
    this.#add([undone]);
    return 'everywhere';
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
    for (const { digest, time, stamp = 0 } of revocations) {
      const before = this.set.find(digest);
      // What is to be forgotten needs no room: without any it stays revoked.
      if (!this.set.add(digest, time, stamp)) isRoom &&= stamp < 0;
      else if (stamp < 0 ? news.find(digest) !== 0 : this.set.find(digest) !== before)
        news.add(digest, time, stamp);
    }
    if (!news.isEmpty && this.#sweep === undefined) {
      const waitMs = this.#sweptAt + SWEEP_EVERY_MS - performance.now();
      if (waitMs <= 0) this.#endRevoked();
      else this.#sweep = setTimeout(() => this.#endRevoked(), waitMs);
    }
    return isRoom;
  }

  /** Later than all that is known of a name, and than what others can have ordered before. */
  #nextStamp(digest: Digest): number {
    const known = Math.abs(this.set.stampOf(digest));
    return Math.min(LAST_STAMP, Math.max(known + 1, Math.floor(secondsOf(Date.now()))));
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
    if (this.#isFull && this.#isRoom(max)) {
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

  #isRoom(max: number): boolean {
    const { held, undone } = this.set.count();
    return held + undone < max;
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
