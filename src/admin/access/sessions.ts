import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** How many there are at a time; of more, the one that was used longest ago ends. */
const MOST_SESSIONS = 200;
/** Of one token: whoever may look logs nobody out who may do more. */
const MOST_OF_A_TOKEN = 20;
const IDLE_MS = 60 * 60_000;
const LONGEST_MS = 12 * 60 * 60_000;
const ID_BYTES = 32;

interface Session {
  /** SHA-256 of the token that it was opened with: it lives no longer than that. */
  readonly sha256: string;
  readonly openedAt: number;
  usedAt: number;
}

/** What a page is given for a token: an id in a cookie, kept in memory, for twelve hours at most and one without use. */
export class Sessions {
  readonly #all = new LRUCache<string, Session>({ max: MOST_SESSIONS });
  readonly #clock: () => number;

  constructor(clock: () => number = Date.now) {
    this.#clock = clock;
  }

  get count(): number {
    return this.#all.size;
  }

  /** Opens one for who has shown a token; returns its id. */
  open(sha256: string): string {
    const id = randomBytes(ID_BYTES).toString('base64url');
    const now = this.#clock();
    this.#makeRoom(sha256);
    this.#all.set(id, { sha256, openedAt: now, usedAt: now });
    return id;
  }

  /** The digest of the token of a session, and notes that it is used; undefined for none, and for one that has ended. */
  find(id: string): string | undefined {
    const session = this.#all.get(id);
    if (session === undefined) return undefined;
    const now = this.#clock();
    if (now >= session.openedAt + LONGEST_MS || now >= session.usedAt + IDLE_MS) {
      this.#all.delete(id);
      return undefined;
    }
    session.usedAt = now;
    return session.sha256;
  }

  close(id: string): void {
    this.#all.delete(id);
  }

  #makeRoom(sha256: string): void {
    const own = [...this.#all.entries()].filter(([, session]) => session.sha256 === sha256);
    // The one that was used last comes first.
    for (const [id] of own.slice(MOST_OF_A_TOKEN - 1)) this.#all.delete(id);
  }
}
