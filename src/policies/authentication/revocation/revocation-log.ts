import type { Redis } from 'ioredis';
import { STORE_UNAVAILABLE, type StoreGuard } from '../../../store/store-guard.ts';
import { READ_LOG_SCRIPT } from './revocation-log.lua.ts';
import { digestText, readDigest, secondsOf, type Digest } from './revocation-marks.ts';
import type { RevocationStamp, RevocationTime } from './revocation-table.ts';

/** The stream that all replicas read. */
export const REVOCATION_STREAM = 'gatehouse:revocations';
/** Revocations of tokens that anybody may write: `revoked:<jti>`, whatever its value, for as long as it is there. */
export const REVOKED_PREFIX = 'revoked:';
/** Where the stream begins. */
export const LOG_BEGINNING = '0-0';

/** Not on the path of a request. */
const BUDGET_MS = 500;
/** So few that neither Redis nor this process is held up by one page. */
const PAGE = 2000;
/** By how much the clocks of replicas and of Redis may be apart, and how much longer it is kept what was taken back. */
const MARGIN_MS = 240_000;
/** Before the stamp, in the value of a key that a gateway has written. */
const STAMPED = '1@';

/** A revocation as all replicas know it. */
export interface LoggedRevocation {
  readonly digest: Digest;
  /** Of one that is taken back, when. */
  readonly time: RevocationTime;
  /** Default 0: it may be earlier than anything. Below 0 takes it back. */
  readonly stamp?: RevocationStamp | undefined;
  /** Whose key in Redis is deleted when it is taken back: a `jti`, or the empty text for none; undefined where nobody knows. */
  readonly undoes?: string | undefined;
  /** The `jti` itself and how long it is kept, in ms, where others may look for it in Redis. */
  readonly token?: { readonly jti: string; readonly forMs: number } | undefined;
}

/** What was read of the log. */
export interface LogPage {
  readonly entries: readonly LoggedRevocation[];
  /** The id of the last entry that was read. */
  readonly last: string;
  /** Whether there is nothing after it. */
  readonly isWhole: boolean;
  /** The ids of the first entry that there is, and of the last that there ever was. */
  readonly first: string;
  readonly generated: string;
}

type Page = readonly [first: string, generated: string, count: number, last: string, lines: string];

interface WithScript {
  readRevocations(key: string, after: string, most: number): Promise<Page>;
}

/** The log of revocations in Redis: a stream, which keeps their order for who was away. */
export class RevocationLog {
  readonly #redis: Redis & WithScript;
  readonly #guard: StoreGuard;

  constructor(redis: Redis, guard: StoreGuard) {
    redis.defineCommand('readRevocations', { lua: READ_LOG_SCRIPT, numberOfKeys: 1 });
    this.#redis = redis as Redis & WithScript;
    this.#guard = guard.forUse('revocations', { budgetMs: BUDGET_MS });
  }

  /** Reads on after an entry; undefined when Redis does not answer. @returns {Error} what it says against it. */
  async read(after: string): Promise<LogPage | Error | undefined> {
    const ask = (): Promise<Page | Error> =>
      this.#redis.readRevocations(REVOCATION_STREAM, after, PAGE).catch(asAnswer);
    const answer = await this.#guard.run(ask);
    if (answer === STORE_UNAVAILABLE) return undefined;
    if (Error.isError(answer)) return answer;
    const [first, generated, count, last, lines] = answer;
    return {
      entries: lines === '' ? [] : lines.split('\n').flatMap(entryOf),
      last,
      isWhole: count < PAGE,
      first: first === '' ? LOG_BEGINNING : first,
      generated: generated === '' ? LOG_BEGINNING : generated,
    };
  }

  /** Looks at the key of a token; undefined when Redis does not answer. */
  async keyOf(jti: string): Promise<RevokedKey | 'none' | undefined> {
    const key = REVOKED_PREFIX + jti;
    const ask = (): Promise<[string | null | Error, number]> =>
      // Keys of others may be of any type.
      Promise.all([this.#redis.get(key).catch(asAnswer), this.#redis.pttl(key)]);
    const answer = await this.#guard.run(ask);
    if (answer === STORE_UNAVAILABLE) return undefined;
    const [value, leftMs] = answer;
    if (value === null || leftMs < -1) return 'none';
    return { forMs: leftMs < 0 ? undefined : leftMs, stamp: stampIn(value) };
  }

  /** Adds to the log, which forgets what is older than the longest life of a token. @returns whether Redis has taken all. */
  async write(revocations: readonly LoggedRevocation[], longestMs: number): Promise<boolean> {
    const keepMs = longestMs + MARGIN_MS;
    const oldest = String(Math.max(0, Date.now() - keepMs));
    const call = async (): Promise<unknown> => {
      // Before anybody hears of it: a key that is there afterwards was written by somebody who revokes anew.
      await Promise.all(
        revocations.map(({ undoes = '' }) => undoes !== '' && this.#redis.del(REVOKED_PREFIX + undoes)),
      );
      const log = this.#redis.multi();
      for (const revocation of revocations) {
        const fields = fieldsOf(revocation);
        log.xadd(REVOCATION_STREAM, 'MINID', '~', oldest, '*', ...fields);
      }
      const logged = log.pexpire(REVOCATION_STREAM, keepMs).exec();
      // Not in the same transaction: in a Cluster each key may be at another node.
      const kept = revocations.map(
        ({ token, stamp = 0 }) =>
          token && this.#redis.set(REVOKED_PREFIX + token.jti, `${STAMPED}${stamp}`, 'PX', token.forMs),
      );
      const [results] = await Promise.all([logged, ...kept]);
      return results?.every(([error]) => error === null) === true;
    };
    const answer = await this.#guard.run(call);
    return answer === true;
  }
}

/** The key of a token, as it is now. */
export interface RevokedKey {
  /** How long it will be there, in ms; undefined for ever. */
  readonly forMs: number | undefined;
  /** The stamp that a gateway has written; undefined of a key of others. */
  readonly stamp: number | undefined;
}

/** Compares ids of a stream: negative when the first one is earlier. */
export function compareIds(one: string, other: string): number {
  const [ms = 0, count = 0] = one.split('-').map(Number);
  const [otherMs = 0, otherCount = 0] = other.split('-').map(Number);
  return ms - otherMs || count - otherCount;
}

// A Redis that answers is not gone, whatever it says: others who use it shall not suffer from a stream that is none.
function asAnswer(error: unknown): Error {
  if (Error.isError(error) && error.name === 'ReplyError') return error;
  throw error;
}

function fieldsOf({ digest, time, stamp = 0, undoes }: LoggedRevocation): string[] {
  // Without anything that a line could not have.
  const named = undoes === undefined ? [] : ['u', Buffer.from(undoes).toString('base64url')];
  return ['d', digestText(digest), 't', String(time), 'n', String(stamp), ...named];
}

// What somebody else has written there is no revocation.
function entryOf(line: string): LoggedRevocation[] {
  const [name = '', seconds, stamped = '', undone] = line.split(' ');
  const digest = readDigest(name);
  const time = Number(seconds);
  const stamp = readStamp(stamped);
  if (digest === undefined || time === 0 || !isWord(time) || !isWord(stamp)) return [];
  const undoes = undone === undefined ? undefined : Buffer.from(undone, 'base64url').toString();
  return [{ digest, time, stamp, undoes }];
}

// A gateway that knows of no stamps has revoked when Redis says: the id of the entry begins with it.
function readStamp(text: string): number {
  return text.startsWith('@') ? Math.floor(secondsOf(Number(text.slice(1).split('-')[0]))) : Number(text);
}

function stampIn(value: string | Error): number | undefined {
  if (typeof value !== 'string' || !value.startsWith(STAMPED)) return undefined;
  const stamp = Number(value.slice(STAMPED.length));
  return isWord(stamp) && stamp >= 0 ? stamp : undefined;
}

/** Whether a table has room for a number. */
function isWord(number: number): boolean {
  return Number.isInteger(number) && Math.abs(number) < 2 ** 31;
}
