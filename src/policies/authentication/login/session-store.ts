import type { Redis } from 'ioredis';
import { hash, randomBytes } from 'node:crypto';
import type { Clock } from '../verifier.ts';
import type { KeyRing, SealOptions } from './key-ring.ts';
import type { StoreGuard } from '../../../store/store-guard.ts';
import { answerOf, sessionGuard } from './redis-answer.ts';
import { readSession, writeSession, type Session } from './session.ts';

/** How long sessions live, in ms. */
export interface SessionLife {
  readonly idle: number;
  readonly absolute: number;
}

/** Where sessions are, found by the value of their cookie. What a store rejects with is its own failure. */
export interface SessionStore {
  /** Whether a session is shared, so that what one replica writes others read. */
  readonly isShared: boolean;
  /** The session of a cookie; undefined for none. */
  read(value: string): Promise<Session | undefined> | Session | undefined;
  /** Keeps a new session. @returns the value of its cookie. */
  begin(session: Session): Promise<string> | string;
  /** Keeps a changed session. @returns the value of its cookie from then on; undefined where it has ended meanwhile. */
  change(value: string, session: Session): Promise<string | undefined> | string | undefined;
  /** Notes that somebody uses a session. @returns the value of its cookie from then on. */
  use(value: string, session: Session): Promise<string> | string;
  /** Forgets a session. */
  end(value: string): Promise<void> | void;
}

/** Sessions that are in their cookies: nothing is kept here. */
export class CookieSessions implements SessionStore {
  readonly isShared = false;
  readonly #keys: KeyRing;
  readonly #sealedFor: SealOptions;

  /** @param purpose what sessions are sealed for: those of another one are none. */
  constructor(keys: KeyRing, purpose: string) {
    this.#keys = keys;
    this.#sealedFor = { purpose };
  }

  read(value: string): Session | undefined {
    const text = this.#keys.open(value, this.#sealedFor);
    return text === undefined ? undefined : readSession(text);
  }

  begin(session: Session): string {
    return this.#keys.seal(writeSession(session), this.#sealedFor);
  }

  change(_value: string, session: Session): string {
    return this.begin(session);
  }

  use(_value: string, session: Session): string {
    return this.begin(session);
  }

  end(): void {
    // Revoked by whoever ends it: copies of the cookie are good until then.
  }
}

/** What sessions in Redis are kept with. */
export interface RedisSessionsDeps {
  readonly redis: Redis;
  readonly guard?: StoreGuard | undefined;
  readonly keys: KeyRing;
  /** What sessions are sealed for: those of another one are none. */
  readonly purpose: string;
  readonly life: SessionLife;
  readonly clock: Clock;
}

const TICKET_BYTES = 32;
const TICKET = /^[A-Za-z0-9_-]{43}$/;
const PREFIX = 'gatehouse:session:';

/**
 * Sessions in Redis. The cookie has a ticket: its digest is the key, and the session is sealed with the keys of the gateway
 * and the ticket. Who reads Redis has no session and no token, and who writes to it cannot make one.
 */
export class RedisSessions implements SessionStore {
  readonly isShared = true;
  readonly #redis: Redis;
  readonly #guard: StoreGuard;
  readonly #deps: RedisSessionsDeps;

  constructor(deps: RedisSessionsDeps) {
    this.#redis = deps.redis;
    this.#guard = sessionGuard(deps.redis, deps.guard);
    this.#deps = deps;
  }

  async read(ticket: string): Promise<Session | undefined> {
    if (!TICKET.test(ticket)) return undefined;
    const sealed = await answerOf(this.#guard, () => this.#redis.get(keyOf(ticket)));
    const text = sealed === null ? undefined : this.#deps.keys.open(sealed, this.#sealedFor(ticket));
    return text === undefined ? undefined : readSession(text);
  }

  async begin(session: Session): Promise<string> {
    // New at each log-in: an identifier that somebody has planted never becomes a session.
    const ticket = randomBytes(TICKET_BYTES).toString('base64url');
    await answerOf(this.#guard, () =>
      this.#redis.set(keyOf(ticket), this.#sealed(ticket, session), 'PX', this.#leftOf(session)),
    );
    return ticket;
  }

  async change(ticket: string, session: Session): Promise<string | undefined> {
    const sealed = this.#sealed(ticket, session);
    // Only what is still there: a session that has ended meanwhile does not come back.
    const kept = await answerOf(this.#guard, () =>
      this.#redis.set(keyOf(ticket), sealed, 'PX', this.#leftOf(session), 'XX'),
    );
    return kept === null ? undefined : ticket;
  }

  /** Its time in Redis is what is left of it: what others have written meanwhile stays. */
  async use(ticket: string, session: Session): Promise<string> {
    await answerOf(this.#guard, () => this.#redis.pexpire(keyOf(ticket), this.#leftOf(session)));
    return ticket;
  }

  async end(ticket: string): Promise<void> {
    if (TICKET.test(ticket)) await answerOf(this.#guard, () => this.#redis.del(keyOf(ticket)));
  }

  #sealed(ticket: string, session: Session): string {
    return this.#deps.keys.seal(writeSession(session), this.#sealedFor(ticket));
  }

  #sealedFor(ticket: string): SealOptions {
    return { purpose: this.#deps.purpose, bound: ticket };
  }

  #leftOf({ createdAt }: Session): number {
    const { life, clock } = this.#deps;
    return Math.max(1, Math.ceil(Math.min(life.idle, createdAt + life.absolute - clock())));
  }
}

function keyOf(ticket: string): string {
  return PREFIX + hash('sha256', ticket, 'base64url');
}
