import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { hash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Upkeep } from '../scheme.ts';
import type { KeyRing } from './key-ring.ts';
import { isSpent } from './provider-fault.ts';
import type { StoreGuard } from '../../../store/store-guard.ts';
import { answerOf, sessionGuard } from './redis-answer.ts';
import { readSession, writeSession, type Session } from './session.ts';
import type { SessionStore } from './session-store.ts';

/** What became of a session whose tokens were to be refreshed. */
export type Renewal =
  | { readonly kind: 'renewed'; readonly value: string; readonly session: Session }
  | {
      readonly kind: 'ended';
      /** Why the provider gave no tokens, to whoever has asked it; undefined where the session has ended otherwise. */
      readonly refusal?: unknown;
    }
  | { readonly kind: 'unavailable' };

/** How tokens are refreshed. */
export interface RenewalDeps {
  readonly store: SessionStore;
  readonly redis: Redis | undefined;
  readonly guard?: StoreGuard | undefined;
  readonly keys: KeyRing;
  readonly memory: RenewalMemory;
  /** How long the provider may take, in ms. */
  readonly timeoutMs: number;
  /** Asks the provider. Rejects as its library does, and with {@link Unbelievable}. */
  refresh(session: Session): Promise<Session>;
}

/** What the provider answers a refresh with is of somebody else. */
export class Unbelievable extends Error {}

/** How long those who still have the tokens before are given those after: providers take a spent one for a theft. */
const GRACE_MS = 60_000;
/** How long others are told that the provider did not answer, before one of them asks again. */
const PAUSE_MS = 1000;
const POLL_MS = 25;
const SLACK_MS = 2000;
/** How long a replica whose refresh token is spent looks for the tokens of the one that has spent it, and how often. */
const SPENT_WAIT_MS = 2000;
const SPENT_POLL_MS = 100;
/** How soon tokens are brought again to a store that has not taken them, and how seldom at last. */
const BRING_MS = 100;
const BRING_AT_MOST_MS = 5000;
const MOST = 10_000;
const PREFIX = 'gatehouse:renewal:';
const UNAVAILABLE: Renewal = { kind: 'unavailable' };
const ENDED: Renewal = { kind: 'ended' };

/** The refreshes of this process that are under way or have just come to an end, by what they refresh. */
export class RenewalMemory implements Upkeep {
  readonly flights = new Map<string, Promise<Renewal>>();
  readonly done = new LRUCache<string, Renewal>({ max: MOST });
  /** New tokens that their store has not taken: those before are spent, and nobody gives them again. */
  readonly unsaved = new LRUCache<string, Session>({ max: MOST });
  /** Those of them that are being brought there. */
  readonly bringing = new Set<string>();

  start(): void {
    // Nothing to be done in the background.
  }

  stop(): void {
    this.done.clear();
  }
}

/** What replicas share. */
interface Shared {
  readonly redis: Redis;
  readonly guard: StoreGuard;
}

/** Deletes a lock that is still ours. */
const UNLOCK = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

/**
 * Refreshes the tokens of sessions, once for all requests that find them old: within this process by one flight, among
 * replicas by a lock in Redis, and what came of it is shared for a while.
 */
export class SessionRenewal {
  readonly #deps: RenewalDeps;
  readonly #replicas: Shared | undefined;

  constructor(deps: RenewalDeps) {
    this.#deps = deps;
    this.#replicas = deps.redis && { redis: deps.redis, guard: sessionGuard(deps.redis, deps.guard) };
  }

  /** New tokens for a session that has a refresh token. Never rejects. */
  renew(value: string, session: Session): Promise<Renewal> | Renewal {
    const key = hash('sha256', session.refreshToken ?? '', 'base64url');
    const { done, flights } = this.#deps.memory;
    const known = done.get(key) ?? flights.get(key);
    if (known !== undefined) return known;
    const flight = this.#shared(key, value, session)
      .catch(() => UNAVAILABLE)
      .then((renewal) => {
        done.set(key, renewal, { ttl: keptMs(renewal, session) });
        return renewal;
      })
      .finally(() => flights.delete(key));
    flights.set(key, flight);
    return flight;
  }

  async #shared(key: string, value: string, session: Session): Promise<Renewal> {
    const { store, timeoutMs } = this.#deps;
    const replicas = this.#replicas;
    if (replicas === undefined) return this.#ask(key, value, session);
    const lock = `${PREFIX}lock:${key}`;
    const owner = randomUUID();
    const givesUpAt = performance.now() + timeoutMs + SLACK_MS;
    try {
      while (!(await this.#locked(replicas, lock, owner))) {
        const told = await this.#told(replicas, key, session);
        if (told !== undefined) return told;
        if (performance.now() > givesUpAt) return UNAVAILABLE;
        await sleep(POLL_MS);
      }
    } catch {
      // New tokens that nobody could keep would be lost, and with them the session; in a cookie they are kept by their browser.
      return store.isShared ? UNAVAILABLE : this.#ask(key, value, session);
    }
    try {
      const renewal = (await this.#told(replicas, key, session)) ?? (await this.#ask(key, value, session));
      await this.#tell(replicas, key, session, renewal);
      return renewal;
    } finally {
      // Others wait a little longer for tokens that their store has not taken, rather than to show the spent one.
      if (!this.#deps.memory.unsaved.has(key))
        await answerOf(replicas.guard, () => replicas.redis.eval(UNLOCK, 1, lock, owner)).catch(
          () => undefined,
        );
    }
  }

  /** Whether the lock is ours now. Rejects without an answer. */
  async #locked({ redis, guard }: Shared, lock: string, owner: string): Promise<boolean> {
    let asked: Promise<unknown> | undefined;
    const ask = () => (asked = redis.set(lock, owner, 'PX', this.#deps.timeoutMs + SLACK_MS, 'NX'));
    try {
      return (await answerOf(guard, ask)) !== null;
    } catch (error) {
      // A Redis that was only stalled still takes the lock when it goes on: nobody else would give that back.
      asked?.then(() => redis.eval(UNLOCK, 1, lock, owner)).catch(() => undefined);
      throw error;
    }
  }

  async #ask(key: string, value: string, session: Session): Promise<Renewal> {
    const { store, refresh } = this.#deps;
    const before = await this.#changed(value, session);
    if (before !== undefined) return before;
    const { unsaved } = this.#deps.memory;
    let renewed = unsaved.get(key);
    try {
      renewed ??= await refresh(session);
    } catch (error) {
      if (!isSpent(error) && !(error instanceof Unbelievable)) return UNAVAILABLE;
      // Somebody else may have been faster; else the provider has ended it.
      const after = await this.#after(key, value, session);
      if (after === undefined) await store.end(value);
      return after ?? { kind: 'ended', refusal: error };
    }
    // Kept before anybody uses them.
    unsaved.set(key, renewed);
    try {
      return await this.#save(key, value, renewed);
    } catch (error) {
      this.#bringLater(key, value, session);
      throw error;
    }
  }

  async #save(key: string, value: string, renewed: Session): Promise<Renewal> {
    const now = await this.#deps.store.change(value, renewed);
    this.#deps.memory.unsaved.delete(key);
    return now === undefined ? ENDED : { kind: 'renewed', value: now, session: renewed };
  }

  /** What another replica made of a refresh token that is spent, which may not have been able to tell yet. */
  async #after(key: string, value: string, session: Session): Promise<Renewal | undefined> {
    const replicas = this.#replicas;
    const until = performance.now() + (this.#deps.store.isShared ? SPENT_WAIT_MS : 0);
    for (;;) {
      const after =
        (await this.#changed(value, session)) ??
        (replicas && (await this.#told(replicas, key, session).catch(() => undefined)));
      if (after !== undefined || performance.now() >= until) return after;
      await sleep(SPENT_POLL_MS);
    }
  }

  /**
   * Brings tokens to the store that has not taken them, until it does or the session has ended: no other replica can go on
   * without them. It needs no lock, because nobody else gets tokens for the one that is spent.
   */
  #bringLater(key: string, value: string, session: Session, waitMs = BRING_MS): void {
    const { bringing } = this.#deps.memory;
    if (waitMs === BRING_MS && bringing.has(key)) return;
    bringing.add(key);
    const again = (): void => this.#bringLater(key, value, session, Math.min(waitMs * 2, BRING_AT_MOST_MS));
    const bring = (): void => void this.#bring(key, value, session).then(() => bringing.delete(key), again);
    setTimeout(bring, waitMs).unref();
  }

  async #bring(key: string, value: string, session: Session): Promise<void> {
    const { unsaved, done } = this.#deps.memory;
    const renewed = unsaved.get(key);
    // A request was faster.
    if (renewed === undefined) return;
    const renewal = (await this.#changed(value, session)) ?? (await this.#save(key, value, renewed));
    unsaved.delete(key);
    done.set(key, renewal, { ttl: keptMs(renewal, session) });
    if (this.#replicas !== undefined) await this.#tell(this.#replicas, key, session, renewal);
  }

  /** What the store has where that is no longer what we have; undefined where it is, or nothing is shared. */
  async #changed(value: string, { refreshToken }: Session): Promise<Renewal | undefined> {
    const { store } = this.#deps;
    if (!store.isShared) return undefined;
    const current = await store.read(value);
    if (current === undefined) return ENDED;
    return current.refreshToken === refreshToken ? undefined : { kind: 'renewed', value, session: current };
  }

  async #told(
    { redis, guard }: Shared,
    key: string,
    { refreshToken }: Session,
  ): Promise<Renewal | undefined> {
    const sealed = await answerOf(guard, () => redis.get(PREFIX + key));
    const text = sealed === null ? undefined : this.#deps.keys.open(sealed, sealedFor(refreshToken));
    if (text === undefined) return undefined;
    const told = JSON.parse(text) as {
      readonly kind: Renewal['kind'];
      readonly value?: string;
      readonly session?: string;
    };
    return told.kind === 'renewed'
      ? { kind: 'renewed', value: told.value ?? '', session: readSession(told.session ?? '{}') }
      : { kind: told.kind };
  }

  async #tell({ redis, guard }: Shared, key: string, session: Session, renewal: Renewal): Promise<void> {
    const { kind } = renewal;
    // Not for long what is to be looked at again under the same name.
    const forMs = keptMs(renewal, session);
    const text =
      kind === 'renewed' ? { kind, value: renewal.value, session: writeSession(renewal.session) } : { kind };
    const sealed = this.#deps.keys.seal(JSON.stringify(text), sealedFor(session.refreshToken));
    await answerOf(guard, () => redis.set(PREFIX + key, sealed, 'PX', forMs)).catch(() => undefined);
  }
}

/** How long others are told of a renewal: of what nobody could check yet, until it is checked again. */
function keptMs(renewal: Renewal, { refreshToken }: Session): number {
  if (renewal.kind === 'unavailable') return PAUSE_MS;
  const isPending =
    renewal.kind === 'renewed' &&
    renewal.session.unchecked !== undefined &&
    renewal.session.refreshToken === refreshToken;
  return isPending ? PAUSE_MS : GRACE_MS;
}

function sealedFor(refreshToken = '') {
  return { purpose: 'renewal', bound: refreshToken };
}
