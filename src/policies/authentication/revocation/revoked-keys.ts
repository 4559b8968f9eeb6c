import type { Redis } from 'ioredis';
import { isReply } from '../../../store/redis-fault.ts';
import { closeRedis, duplicateRedis, redisFault } from '../../../store/redis.ts';
import { Gathered } from './gathered.ts';
import { LIVES_SCRIPT } from './revocation-log.lua.ts';
import { REVOKED_PREFIX } from './revocation-log.ts';

/** Where a connection of the second version of the protocol hears of keys that have changed. */
const CHANNEL = '__redis__:invalidate';
const SCAN_COUNT = 1000;
/** Keys that are looked at in one go: others have their turn in between. */
const AT_ONCE = 500;
/** How often all keys are looked at again: where changes are told, and where Redis does not tell them. */
const RECONCILE_MS = 300_000;
const RECONCILE_UNTOLD_MS = 10_000;
const RETRY_MS = 200;
const LOOK_AGAIN_MS = 100;
/** Keys that change sooner after a look are looked at together. */
const GATHER_MS = 100;
/** Also where the connection beside it is one of a Cluster, which connects when it is asked something. */
const OPTIONS = {
  autoResubscribe: false,
  protocol: 2,
  lazyConnect: false,
  enableOfflineQueue: false,
} as const;

/** What a Redis says that is a node of a Cluster after all, or lets its user run no scripts. */
const ONE_BY_ONE = /^NOPERM|slot/i;

interface WithScript {
  livesOfRevoked(keyCount: number, ...keys: readonly string[]): Promise<readonly number[]>;
}

/** Who hears what the keys say. */
export interface RevokedKeysHost {
  /** Hears of a revoked token, and for how long its key will be there, in ms; undefined for ever. */
  revoked(jti: string, forMs: number | undefined): void;
  /** Hears that all keys were deleted. */
  flushed(): void;
  /** Hears why changes of keys are not told. */
  untold(reason: string): void;
}

/**
 * The keys `revoked:<jti>` of one server, which others may write: an issuer, a script, an operator. Redis tells of each change of one at once
 * (`CLIENT TRACKING` with a prefix, from Redis 6 on); they are all looked at after each connection, and now and then.
 */
export class RevokedKeys {
  readonly #redis: Redis & WithScript;
  readonly #host: RevokedKeysHost;
  /** Whether one call may ask for many keys. */
  #isWhole: boolean;
  #listener: Redis | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #lookAgain: NodeJS.Timeout | undefined = undefined;
  readonly #news = new Gathered(GATHER_MS, () => void this.#lookAtChanged());
  /** What has changed and is to be looked at, and since when, on the clock of `performance.now()`. */
  #changedKeys = new Set<string>();
  #changedAt = Infinity;
  /** Since when what is looked at just now had changed. */
  readonly #looking = new Set<{ readonly since: number }>();
  #isTold = true;
  #isAsking = false;
  /** Until when everything is known, on the clock of `performance.now()`; -Infinity before all keys were looked at. */
  heardAt = -Infinity;
  /** Counts connections, so that work for an earlier one ends; and that of which all keys were looked at. */
  #turn = 0;
  #seenTurn = -1;

  /** @param isNode whether it is a node of a Cluster, which takes keys of one slot only. */
  constructor(redis: Redis, host: RevokedKeysHost, isNode = false) {
    redis.defineCommand('livesOfRevoked', { lua: LIVES_SCRIPT });
    this.#redis = redis as Redis & WithScript;
    this.#host = host;
    this.#isWhole = !isNode;
  }

  /** Begins to listen, and to look. */
  start(): void {
    // The third version tells it in a way that the library keeps to itself.
    const listener = duplicateRedis(this.#redis, OPTIONS);
    this.#listener = listener;
    listener.on('error', () => undefined);
    listener.on('ready', () => void this.#begin(listener, ++this.#turn));
    listener.on('messageBuffer', (_channel: Buffer, keys: unknown) => this.#changed(keys));
  }

  /** Ends it. */
  stop(): void {
    this.#turn += 1;
    clearTimeout(this.#timer);
    clearTimeout(this.#lookAgain);
    this.#news.stop();
    if (this.#listener !== undefined) closeRedis(this.#listener);
    this.#listener = undefined;
  }

  /** Looks at all keys once more; what is known meanwhile is as good as it was. */
  lookAgain(): void {
    clearTimeout(this.#lookAgain);
    // What is to be looked at for one reason is looked at for all.
    this.#lookAgain = setTimeout(() => void this.#reconcile(this.#turn), LOOK_AGAIN_MS).unref();
  }

  /** Looks at all keys once more, and knows nothing until that is done. */
  again(): void {
    this.#seenTurn = -1;
    this.heardAt = -Infinity;
    void this.#reconcile(this.#turn);
  }

  /** Asks for a sign of life. */
  async ping(): Promise<void> {
    // A connection that is stalled may take a while to be given up.
    if (this.#isAsking) return;
    this.#isAsking = true;
    const askedAt = performance.now();
    try {
      await (this.#isTold ? this.#listener : this.#redis)?.ping();
      // What was written while there was no connection is not known yet.
      // What has changed is known once it was looked at.
      if (this.#seenTurn === this.#turn)
        this.heardAt = Math.max(this.heardAt, Math.min(askedAt, this.#unknownSince));
    } catch {
      // What was heard last counts.
    } finally {
      this.#isAsking = false;
    }
  }

  async #begin(listener: Redis, turn: number): Promise<void> {
    try {
      const id = await listener.client('ID');
      await listener.call(
        'CLIENT',
        'TRACKING',
        'ON',
        'REDIRECT',
        String(id),
        'BCAST',
        'PREFIX',
        REVOKED_PREFIX,
      );
      await listener.subscribe(CHANNEL);
      this.#isTold = true;
    } catch (error) {
      if (turn !== this.#turn || listener.status !== 'ready') return;
      // Fails open for a few seconds, until the keys are looked at again: an old Redis, or one that forbids it.
      if (this.#isTold) this.#host.untold(redisFault(error));
      this.#isTold = false;
    }
    await this.#reconcile(turn);
  }

  async #reconcile(turn: number): Promise<void> {
    if (turn !== this.#turn) return;
    let waitMs = this.#isTold ? RECONCILE_MS : RECONCILE_UNTOLD_MS;
    const beganAt = performance.now();
    try {
      await this.#scan(turn);
      this.#seenTurn = turn;
      this.heardAt = Math.max(this.heardAt, beganAt);
    } catch {
      waitMs = RETRY_MS;
    }
    if (turn !== this.#turn) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#reconcile(turn), waitMs).unref();
  }

  async #scan(turn: number): Promise<void> {
    let cursor = '0';
    do {
      const [next, keys] = await this.#redis.scan(cursor, 'MATCH', `${REVOKED_PREFIX}*`, 'COUNT', SCAN_COUNT);
      await this.#look(keys);
      cursor = next;
    } while (cursor !== '0' && turn === this.#turn);
  }

  #changed(keys: unknown): void {
    if (!Array.isArray(keys)) return this.#host.flushed();
    for (const key of keys) this.#changedKeys.add(String(key));
    this.#changedAt = Math.min(this.#changedAt, performance.now());
    // So many are a look of their own: nothing grows by waiting.
    if (this.#changedKeys.size >= AT_ONCE) void this.#lookAtChanged();
    else this.#news.ask();
  }

  async #lookAtChanged(): Promise<void> {
    const changed = [...this.#changedKeys];
    const look = { since: this.#changedAt };
    this.#changedKeys = new Set();
    this.#changedAt = Infinity;
    this.#looking.add(look);
    try {
      await this.#look(changed);
    } catch {
      // The connection is gone, and all keys are looked at when it is back.
      void this.#reconcile(this.#turn);
    } finally {
      this.#looking.delete(look);
    }
  }

  /** Since when something has changed that was not looked at yet. */
  get #unknownSince(): number {
    let since = this.#changedAt;
    for (const look of this.#looking) since = Math.min(since, look.since);
    return since;
  }

  async #look(keys: readonly string[]): Promise<void> {
    for (let at = 0; at < keys.length; at += AT_ONCE) await this.#lookAt(keys.slice(at, at + AT_ONCE));
  }

  async #lookAt(keys: readonly string[]): Promise<void> {
    const left = await this.#livesOf(keys);
    for (const [index, key] of keys.entries()) {
      const ms = left[index] as number;
      // One that is gone again stays revoked for as long as it was said at first.
      if (ms >= -1) this.#host.revoked(key.slice(REVOKED_PREFIX.length), ms < 0 ? undefined : ms);
    }
  }

  /** How long keys are still there, as PTTL tells it. */
  async #livesOf(keys: readonly string[]): Promise<readonly number[]> {
    if (this.#isWhole) {
      try {
        return await this.#redis.livesOfRevoked(keys.length, ...keys);
      } catch (error) {
        if (!isReply(error) || !ONE_BY_ONE.test(error.message)) throw error;
        this.#isWhole = false;
      }
    }
    return Promise.all(keys.map((key) => this.#redis.pttl(key)));
  }
}
