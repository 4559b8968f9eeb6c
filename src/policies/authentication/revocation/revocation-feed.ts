import type { Redis } from 'ioredis';
import type { PubSub } from '../../../store/pub-sub.ts';
import { redisFault } from '../../../store/redis.ts';
import type { StoreGuard } from '../../../store/store-guard.ts';
import {
  compareIds,
  LOG_BEGINNING,
  REVOCATION_STREAM,
  RevocationLog,
  type LoggedRevocation,
  type LogPage,
} from './revocation-log.ts';
import { Gathered } from './gathered.ts';
import { LostLog } from './lost-log.ts';
import { digestOf, secondsOf } from './revocation-marks.ts';
import type { RevocationSet } from './revocation-set.ts';
import { RevokedKeysOfAll } from './revoked-keys-of-all.ts';

/** How often the log is asked for news although nobody has told of any. */
const POLL_MS = 400;
/** News that come sooner after a reading are read together: with a thousand replicas each reading is a thousand. */
const GATHER_MS = 100;
const CHANNEL = 'revocations';

/** What keeps a set fresh. */
export interface FeedDeps {
  readonly redis: Redis;
  readonly guard: StoreGuard;
  readonly pubSub: PubSub;
}

/** Who hears what the feed brings. */
export interface FeedHost {
  readonly set: RevocationSet;
  /** Hears of revocations, those included that are known already. */
  heard(revocations: readonly LoggedRevocation[]): void;
  /** Says something to the operator. */
  warn(message: string): void;
}

/**
 * Keeps the revocations of this process those of all replicas: it reads the log on from where it was, at once when somebody
 * tells that there is news and several times a second anyway, and looks at the keys that others write. A log that has lost
 * something, by a flush or a failover, gets it back from whoever still knows it: nothing that is known is forgotten.
 */
export class RevocationFeed {
  readonly #log: RevocationLog;
  readonly #keys: RevokedKeysOfAll;
  readonly #pubSub: PubSub;
  readonly #host: FeedHost;
  #after = LOG_BEGINNING;
  /** The earliest entry that is still to be kept. */
  #oldest: string | undefined = undefined;
  #lost: LostLog | undefined = undefined;
  #logHeardAt = -Infinity;
  #timer: NodeJS.Timeout | undefined = undefined;
  readonly #news = new Gathered(GATHER_MS, () => this.#wake());
  #deaf: (() => void) | undefined = undefined;
  #isReading = false;
  #isWanted = false;
  #isStopped = true;
  #isRefused = false;
  /** Who waits for what will be read from now on. */
  readonly #waiting: ((isRead: boolean) => void)[] = [];

  constructor({ redis, guard, pubSub }: FeedDeps, host: FeedHost) {
    this.#log = new RevocationLog(redis, guard);
    this.#pubSub = pubSub;
    this.#host = host;
    this.#keys = new RevokedKeysOfAll(redis, {
      revoked: (jti, forMs = host.set.bounds.longest) => this.#found(jti, forMs),
      flushed: () => this.#wake(),
      untold: (reason) =>
        host.warn(
          `Redis does not tell of keys revoked:* that change (${reason}); they are looked at every 10 s.`,
        ),
    });
  }

  /** Until when everything is known that there is, on the clock of `performance.now()`; -Infinity before all was read. */
  get heardAt(): number {
    return Math.min(this.#logHeardAt, this.#keys.heardAt);
  }

  /** The last entry of the log that was read. */
  get last(): string {
    return this.#after;
  }

  /** Begins to read. */
  start(): void {
    this.#isStopped = false;
    this.#keys.start();
    this.#deaf = this.#pubSub.listen(CHANNEL, () => this.#news.ask());
    this.#wake();
  }

  /** Ends it. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#news.stop();
    this.#keys.stop();
    this.#deaf?.();
    for (const tell of this.#waiting.splice(0)) tell(false);
  }

  /** Reads everything once more. */
  again(): void {
    this.#logHeardAt = -Infinity;
    this.#after = LOG_BEGINNING;
    this.#keys.again();
    this.#wake();
  }

  /** Reads what there is by now. @returns whether Redis has answered. */
  caughtUp(): Promise<boolean> {
    if (this.#isStopped) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#wake();
    });
  }

  /** Tells all replicas. @returns whether Redis has taken it. */
  async tell(revocations: readonly LoggedRevocation[]): Promise<boolean> {
    const isTaken = await this.#log.write(revocations, this.#host.set.bounds.longest);
    // Who does not hear it asks soon. Of a token that has a key Redis tells all replicas by itself.
    if (isTaken && revocations.some(({ token }) => token === undefined))
      this.#pubSub.publish(CHANNEL, '').catch(() => undefined);
    return isTaken;
  }

  #wake(): void {
    this.#isWanted = true;
    if (this.#isReading || this.#isStopped) return;
    this.#isReading = true;
    clearTimeout(this.#timer);
    void this.#readAll().finally(() => {
      this.#isReading = false;
      if (this.#isStopped) return;
      if (this.#isWanted) return this.#wake();
      this.#timer = setTimeout(() => this.#wake(), POLL_MS).unref();
    });
  }

  async #readAll(): Promise<void> {
    this.#isWanted = false;
    void this.#keys.ping();
    const waiting = this.#waiting.splice(0);
    const isRead = await this.#readLog();
    for (const tell of waiting) tell(isRead);
    if (isRead) await this.#restore();
  }

  /** @returns whether all was read. */
  async #readLog(): Promise<boolean> {
    for (;;) {
      const askedAt = performance.now();
      const page = await this.#log.read(this.#after).catch(() => undefined);
      if (Error.isError(page)) this.#refused(page);
      if (page === undefined || Error.isError(page) || this.#isStopped) return false;
      this.#isRefused = false;
      if (this.#hasLost(page)) {
        this.#host.warn(
          'The log of revocations in Redis has lost entries; those that are known are written again.',
        );
        this.#lost = new LostLog(this.#host.set);
        this.#after = LOG_BEGINNING;
        this.#oldest = undefined;
        continue;
      }
      this.#take(page);
      if (!page.isWhole) continue;
      this.#logHeardAt = askedAt;
      return true;
    }
  }

  #refused(error: Error): void {
    if (!this.#isRefused)
      this.#host.warn(`Redis does not let ${REVOCATION_STREAM} be read (${redisFault(error)}).`);
    this.#isRefused = true;
  }

  #take({ entries, last, first }: LogPage): void {
    this.#after = last;
    this.#oldest ??= first === LOG_BEGINNING ? undefined : first;
    if (entries.length === 0) return;
    this.#lost?.found(entries);
    this.#host.heard(entries);
    const undone = entries.filter(({ stamp = 0 }) => stamp < 0).map(({ undoes }) => undoes);
    // A key that is there now may have been found before it was heard that an earlier one does not count any more.
    for (const jti of undone) if (jti !== undefined && jti !== '') void this.#foundAnew(jti);
    if (undone.includes(undefined)) this.#keys.lookAgain();
  }

  // A flush or a failover takes the end of the log, or all of it, or all but what was written since.
  #hasLost({ first, generated }: LogPage): boolean {
    if (compareIds(generated, this.#after) < 0) return true;
    if (this.#oldest === undefined || compareIds(first, this.#oldest) <= 0) return false;
    const keptSinceMs = Date.now() - this.#host.set.bounds.longest;
    if (Number(this.#oldest.split('-')[0]) > keptSinceMs) return true;
    // What was cut off is over.
    this.#oldest = first;
    return false;
  }

  async #restore(): Promise<void> {
    const missing = this.#lost?.next();
    if (missing === undefined) return void (this.#lost = undefined);
    if (missing.length > 0 && !(await this.tell(missing))) this.#lost?.again(missing);
  }

  #found(jti: string, forMs: number): void {
    const digest = digestOf('jti', '', jti);
    if (this.#host.set.stampOf(digest) < 0) return void this.#foundAnew(jti);
    this.#host.heard([{ digest, time: this.#timeOf(forMs) }]);
  }

  /** The key of a token that was revoked and is not any more: whoever has written one since revokes it anew. */
  async #foundAnew(jti: string): Promise<void> {
    const digest = digestOf('jti', '', jti);
    // As it is before it is asked: an undoing that comes meanwhile counts for what is found.
    const stamp = this.#host.set.stampOf(digest);
    if (stamp >= 0) return;
    const key = await this.#log.keyOf(jti).catch(() => undefined);
    if (this.#isStopped || key === 'none') return;
    // Fails closed: it is asked again until Redis has answered.
    if (key === undefined) return void setTimeout(() => void this.#foundAnew(jti), POLL_MS).unref();
    // One that a gateway has written before is what a failover has brought back; it is nobody's wish any more.
    if (key.stamp !== undefined && key.stamp < -stamp) return;
    const { longest } = this.#host.set.bounds;
    const time = this.#timeOf(key.forMs ?? longest);
    this.#host.heard([{ digest, time, stamp: key.stamp ?? -stamp }]);
  }

  #timeOf(forMs: number): number {
    return Math.ceil(secondsOf(Date.now() + Math.min(forMs, this.#host.set.bounds.longest)));
  }
}
