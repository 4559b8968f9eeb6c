import { hash, randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { STORE_UNAVAILABLE, type StoreGuard } from '../../store/store-guard.ts';
import type { KeyRing } from '../authentication/login/key-ring.ts';
import type { AnswerKey, AnswerStore, Purge } from './answer-store.ts';
import { isDecodable } from './body-coder.ts';
import { agedEntry, type Entry } from './entry.ts';
import type { OwedNews } from './owed-news.ts';
import { FIND_SCRIPT, KEEP_SCRIPT } from './shared-answers.lua.ts';
import { SharedEnds, type Ends, type EndsMark } from './shared-ends.ts';
import {
  answerValue,
  entryOf,
  readValue,
  sealed,
  unsealed,
  varyValue,
  type SharedValue,
} from './shared-value.ts';

/** Generations as they were when an answer was looked for: what was asked for since is of these, and dead if they are others by then. */
export interface SharedMark extends EndsMark {
  readonly uri: string;
}

/** What was found. */
export interface SharedFound {
  /** Kept in this process by now. */
  readonly entry: Entry | undefined;
  /** Undefined where Redis has not answered: nothing is written then. */
  readonly mark: SharedMark | undefined;
}

type Variant = (names: readonly string[]) => string;

/** Send EVALSHA; ioredis sends the script itself where the server does not know it (yet, or any more). */
interface WithScripts {
  findAnswerBuffer(...words: (string | number)[]): Promise<readonly (Buffer | number | null)[]>;
  keepAnswers(...words: (string | number | Buffer)[]): Promise<number>;
  unlink(key: string): Promise<number>;
}

/** What a request may wait for Redis in all, in ms, however many calls it takes. */
const BUDGET_MS = 20;
/** What ends answers may take longer: nobody waits but who purges. */
const END_BUDGET_MS = 500;
/** The largest value, with its fields; a larger one stays in the process. */
const MAX_VALUE = 2 ** 20;
/** Bytes on their way to Redis at once; more are not written. */
const MAX_WRITING = 8 * 2 ** 20;
const KEY_OVERHEAD = 256;
/** How long an answer stays at most. */
const LONGEST_MS = 24 * 3_600_000;
/** How long a generation is there without an answer of it: what takes longer to come is not written. */
const GENERATION_MS = 60_000;
const DEFAULT_MAX_BYTES = 64 * 2 ** 20;
const NOTHING: SharedFound = Object.freeze({ entry: undefined, mark: undefined });

/**
 * The second level of the store: answers in Redis, for all replicas. A request waits for it as long as its budget allows, and
 * nobody waits for what is written. It fails open: without an answer in time the upstream is asked.
 */
export class SharedAnswers {
  readonly #redis: WithScripts;
  readonly #ends: SharedEnds;
  readonly #guard: StoreGuard;
  readonly #endGuard: StoreGuard;
  readonly #local: AnswerStore;
  readonly #owed: OwedNews;
  /** What this process has written, by size: Redis is others' too, and would be full else. */
  #written: LRUCache<string, number>;
  #writing = 0;
  #keys: KeyRing | undefined = undefined;
  /** Whether a route keeps answers here. */
  isUsed = false;

  constructor(redis: Redis, guard: StoreGuard, local: AnswerStore, owed: OwedNews) {
    redis.defineCommand('findAnswer', { lua: FIND_SCRIPT, numberOfKeys: 2 });
    redis.defineCommand('keepAnswers', { lua: KEEP_SCRIPT });
    this.#redis = redis as unknown as WithScripts;
    this.#ends = new SharedEnds(redis);
    this.#guard = guard.forUse('cache', { budgetMs: BUDGET_MS });
    this.#endGuard = guard.forUse('purges', { budgetMs: END_BUDGET_MS });
    this.#local = local;
    this.#owed = owed;
    this.#written = this.#ofSize(DEFAULT_MAX_BYTES);
  }

  /** Takes over how much of Redis this process may use for answers, in bytes. */
  resize(maxBytes: number): void {
    if (this.#written.maxSize === maxBytes) return;
    const old = this.#written;
    this.#written = this.#ofSize(maxBytes);
    old.rforEach((size, name) => this.#written.set(name, size));
  }

  /** Takes over the keys that values are encrypted with; what was not encrypted with one of them is not read any more. */
  sealWith(keys: KeyRing | undefined): void {
    this.#keys = keys;
  }

  /** Looks for an answer, and keeps in this process what it finds, unless it was ended meanwhile. Never rejects. */
  async find(key: AnswerKey, variant: Variant): Promise<SharedFound> {
    // Fails closed: what others have not been told of yet may still be there as it was.
    if (this.#owed.covers(key.uri)) return NOTHING;
    const before = this.#local.mark();
    const found = await this.#guard.run(() => this.#look(key, variant));
    if (found === STORE_UNAVAILABLE) return NOTHING;
    const { entry, mark } = found;
    const isWhole = entry?.coded === undefined || (await isDecodable(entry.answer.body, entry.coded));
    if (entry === undefined || !isWhole || !this.#local.isUnchanged(key.uri, before, entry.tags))
      return { entry: undefined, mark };
    const known = this.#local.peek(key, variant);
    if (known !== undefined && known.freshUntil >= entry.freshUntil) return { entry: known, mark };
    const kept = { ...entry, tags: this.#local.tags.again(entry.tags) };
    this.#local.set(key, kept);
    return { entry: kept, mark };
  }

  /** Writes an answer that was asked for under a mark; nobody waits for it. */
  keep(key: AnswerKey, entry: Entry, mark: SharedMark): void {
    const size = entry.answer.body.length + KEY_OVERHEAD;
    if (size > MAX_VALUE || this.#writing + size > MAX_WRITING) return;
    const write = async (): Promise<void> => {
      this.#writing += size;
      try {
        await this.#write(key, entry, mark);
      } finally {
        this.#writing -= size;
      }
    };
    // The guard never rejects.
    void this.#guard.run(write);
  }

  /** Removes what is under a key, which holds no more; nobody waits for it. */
  drop(key: AnswerKey): void {
    void this.#endGuard.run(() => this.#redis.unlink(namesOf(key).answer));
  }

  /** Ends all answers of a URI, those under way too. @returns whether Redis has done so. */
  async end(uri: string): Promise<boolean> {
    return this.#isDone(await this.#endGuard.run(() => this.#ends.endUri(generationOf(uri), false)));
  }

  /** Ends what a purge is for; what a soft one is for stays, stale for all that find it. @returns whether Redis has done so. */
  async purge(purge: Purge): Promise<boolean> {
    const { by, value, soft } = purge;
    const end = (): Promise<void> =>
      by === 'key' ? this.#ends.endUri(generationOf(value), soft === true) : this.#ends.purge(purge);
    return this.#isDone(await this.#endGuard.run(end));
  }

  #isDone(reply: unknown): boolean {
    return reply !== STORE_UNAVAILABLE;
  }

  async #look(key: AnswerKey, variant: Variant): Promise<SharedFound> {
    const names = namesOf(key);
    // Both are sent together.
    const [first, ends] = await Promise.all([this.#get(names, names.answer), this.#ends.now()]);
    const uri = first.generation;
    if (uri === '' || ends === undefined) return NOTHING;
    const mark = { uri, all: ends.all, purges: ends.purges };
    let { value, leftMs } = first;
    if (value?.kind === 'vary' && isOf(value, names, mark))
      ({ value, leftMs } = await this.#get(names, names.variant(variant(value.vary))));
    if (value?.kind !== 'answer' || !isOf(value, names, mark)) return { entry: undefined, mark };
    if (value.variant !== variant(value.vary)) return { entry: undefined, mark };
    const entry = entryOf(value, leftMs);
    return { entry: entry && (await this.#unended(entry, { value, ends, mark, uri: key.uri })), mark };
  }

  async #get({ generation }: Names, answer: string): Promise<Got> {
    const reply = await this.#redis.findAnswerBuffer(
      generation,
      answer,
      `${randomUUID()}.0`,
      GENERATION_MS,
      MAX_VALUE,
    );
    const [uri, bytes, leftMs] = reply;
    const opened = Buffer.isBuffer(bytes) ? unsealed(bytes, answer, this.#keys) : undefined;
    return { generation: String(uri), value: opened && readValue(opened), leftMs: Number(leftMs) };
  }

  async #unended(entry: Omit<Entry, 'tags'>, { value, ends, mark, uri }: Looked): Promise<Entry | undefined> {
    const { all, purges, tags: slots } = value;
    const state = await this.#ends.stateOf({ of: uri, all, purges, tags: slots }, ends);
    if (state === 'purged') return undefined;
    const tags = slots.map((slot) => ({ slot, hard: 0, soft: 0 }));
    const whole = { ...entry, tags };
    // A soft purge by key has counted on.
    return state === 'aged' || value.uri !== mark.uri ? agedEntry(whole, Date.now()) : whole;
  }

  async #write(key: AnswerKey, entry: Entry, mark: SharedMark): Promise<void> {
    const forMs = Math.floor(Math.min(entry.keptUntil - Date.now(), LONGEST_MS));
    if (forMs < 1) return;
    const names = namesOf(key);
    const of = { of: names.answer, uri: mark.uri, all: mark.all, purges: mark.purges };
    const answer = answerValue(of, entry, forMs);
    const named: [string, Buffer][] =
      entry.vary.length === 0
        ? [[names.answer, answer]]
        : [[names.variant(entry.variant), answer], [names.answer, varyValue(of, entry.vary)]]; // prettier-ignore
    const values = named.map(([name, value]) => [name, sealed(value, name, this.#keys)] as const);
    const most = Math.min(MAX_VALUE, this.#written.maxSize - KEY_OVERHEAD);
    if (values.some(([, value]) => value.length > most)) return;
    const keys = [names.generation, ...values.map(([name]) => name)];
    const words = [mark.uri, forMs + GENERATION_MS, forMs, ...values.map(([, bytes]) => bytes)];
    if ((await this.#redis.keepAnswers(keys.length, ...keys, ...words)) !== 1) return;
    for (const [name, bytes] of values) this.#written.set(name, bytes.length + KEY_OVERHEAD);
  }

  #ofSize(maxSize: number): LRUCache<string, number> {
    return new LRUCache({
      maxSize,
      sizeCalculation: (size) => size,
      dispose: (_, name, reason) => {
        if (reason === 'evict') void this.#guard.run(() => this.#redis.unlink(name));
      },
    });
  }
}

/** What is to be known of a value to tell whether it has ended. */
interface Looked {
  readonly value: Extract<SharedValue, { kind: 'answer' }>;
  readonly ends: Ends;
  readonly mark: SharedMark;
  readonly uri: string;
}

/** What is under a name. */
interface Got {
  readonly generation: string;
  readonly value: SharedValue | undefined;
  readonly leftMs: number;
}

/** Names in Redis. */
interface Names {
  readonly generation: string;
  readonly answer: string;
  variant(digest: string): string;
}

// What belongs to one URI is at one node of a Cluster.
function namesOf({ uri, caller }: AnswerKey): Names {
  const generation = generationOf(uri);
  const answer = `${generation}:${caller}`;
  return { generation, answer, variant: (digest) => `${answer}:${digest}` };
}

// A digest, because a query may hold what nobody should read.
function generationOf(uri: string): string {
  return `cache:{${hash('sha256', uri, 'base64url')}}`;
}

function isOf(value: SharedValue, { answer }: Names, mark: SharedMark): boolean {
  return value.of === answer && generationIn(value.uri) === generationIn(mark.uri) && value.all === mark.all;
}

// Without the count of soft purges behind it.
function generationIn(mark: string): string {
  return mark.slice(0, mark.lastIndexOf('.'));
}
