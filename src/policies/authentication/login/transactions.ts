import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../verifier.ts';
import type { KeyRing } from './key-ring.ts';
import { liftedCookies } from './lifted-cookies.ts';
import type { SeenOnce } from './seen-once.ts';
import type { SessionCookies } from './session-cookies.ts';

/** What is remembered of a log-in between its begin and its end; in a cookie, so of the browser that began it. */
export interface Transaction {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** A path of ours. */
  readonly back: string;
  /** When it began, in ms since the epoch. */
  readonly at: number;
}

/** How long a log-in may take. */
const LIFE_MS = 600_000;
/** Log-ins that one browser may have under way, each in a tab: more would fill the head of its requests. */
const MOST = 5;
/** What they may have of it together: besides them there are the session, and what browsers and other pages add. */
const MOST_LENGTH = 4096;
const KEY_LENGTH = 12;

/** The log-ins that are under way, each in a cookie of its own, so that tabs do not meet. */
export class Transactions {
  readonly #cookies: SessionCookies;
  readonly #keys: KeyRing;
  readonly #once: SeenOnce;
  readonly #clock: Clock;

  constructor(cookies: SessionCookies, keys: KeyRing, once: SeenOnce, clock: Clock) {
    this.#cookies = cookies;
    this.#keys = keys;
    this.#once = once;
    this.#clock = clock;
  }

  /** Remembers a log-in. @returns the fields that do; those of the oldest ones go. */
  begin(request: IncomingMessage, transaction: Transaction): readonly string[] {
    const value = this.#keys.seal(JSON.stringify(transaction), purposeOf(transaction.state));
    return [
      ...this.#tooMuch(request, value.length).flatMap((key) => this.#cookies.ofLogin(key, undefined, 0)),
      ...this.#cookies.ofLogin(keyOf(transaction.state), value, LIFE_MS / 1000),
    ];
  }

  /** The log-in of a state that this browser began, once; undefined for any other. */
  async take(request: IncomingMessage, state: string): Promise<Transaction | undefined> {
    const value = liftedCookies(request)?.get(this.#cookies.loginName(keyOf(state)));
    const text = value ? this.#keys.open(value, purposeOf(state)) : undefined;
    if (text === undefined) return undefined;
    const transaction = JSON.parse(text) as Transaction;
    if (transaction.state !== state || this.#clock() - transaction.at > LIFE_MS) return undefined;
    return (await this.#once.isFirst('state', state, LIFE_MS)) ? transaction : undefined;
  }

  /** The fields that forget the log-in of a state. */
  forget(state: string): readonly string[] {
    return this.#cookies.ofLogin(keyOf(state), undefined, 0);
  }

  /** The log-ins that go for another one. Any page can begin some with long paths: no head would have room for five of those. */
  #tooMuch(request: IncomingMessage, length: number): string[] {
    const prefix = this.#cookies.loginName('');
    // Browsers list older cookies first (RFC 6265 section 5.4).
    const under = [...(liftedCookies(request) ?? [])].filter(([name]) => name.startsWith(prefix)).reverse();
    let left = MOST_LENGTH - length;
    const kept = under.findIndex(([, value], at) => at === MOST - 1 || (left -= value?.length ?? 0) < 0);
    const gone = kept < 0 ? [] : under.slice(kept);
    return gone.map(([name]) => name.slice(prefix.length));
  }
}

function purposeOf(state: string): { readonly purpose: string } {
  return { purpose: `login ${state}` };
}

function keyOf(state: string): string {
  return hash('sha256', state, 'base64url').slice(0, KEY_LENGTH);
}
