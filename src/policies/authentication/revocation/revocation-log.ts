import type { Redis } from 'ioredis';
import { STORE_UNAVAILABLE, type StoreGuard } from '../../../store/store-guard.ts';
import { digestText, readDigest, type Digest } from './revocation-marks.ts';
import { READ_LOG_SCRIPT } from './revocation-log.lua.ts';
import type { RevocationTime } from './revocation-table.ts';

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
/** Of a digest as a text. */
const DIGEST_LENGTH = 16;
/** By how much the clocks of replicas and of Redis may be apart. */
const MARGIN_MS = 60_000;

/** A revocation as all replicas know it. */
export interface LoggedRevocation {
  readonly digest: Digest;
  readonly time: RevocationTime;
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
      entries: entriesOf(lines),
      last,
      isWhole: count < PAGE,
      first: first === '' ? LOG_BEGINNING : first,
      generated: generated === '' ? LOG_BEGINNING : generated,
    };
  }

  /** Adds to the log, which forgets what is older than the longest life of a token. @returns whether Redis has taken all. */
  async write(revocations: readonly LoggedRevocation[], longestMs: number): Promise<boolean> {
    const keepMs = longestMs + MARGIN_MS;
    const oldest = String(Math.max(0, Date.now() - keepMs));
    const call = async (): Promise<unknown> => {
      const log = this.#redis.multi();
      for (const { digest, time } of revocations) {
        const fields = ['d', digestText(digest), 't', String(time)];
        log.xadd(REVOCATION_STREAM, 'MINID', '~', oldest, '*', ...fields);
      }
      const logged = log.pexpire(REVOCATION_STREAM, keepMs).exec();
      // Not in the same transaction: in a Cluster each key may be at another node.
      const kept = revocations.map(
        ({ token }) => token && this.#redis.set(REVOKED_PREFIX + token.jti, '1', 'PX', token.forMs),
      );
      const [results] = await Promise.all([logged, ...kept]);
      return results?.every(([error]) => error === null) === true;
    };
    const answer = await this.#guard.run(call);
    return answer === true;
  }
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

// What somebody else has written there is no revocation.
function entriesOf(lines: string): LoggedRevocation[] {
  const entries: LoggedRevocation[] = [];
  if (lines === '') return entries;
  for (const line of lines.split('\n')) {
    const digest = readDigest(line.slice(0, DIGEST_LENGTH));
    const time = Number(line.slice(DIGEST_LENGTH));
    const isTime = Number.isInteger(time) && time !== 0 && Math.abs(time) < 2 ** 31;
    if (digest !== undefined && isTime) entries.push({ digest, time });
  }
  return entries;
}
