import { hash, randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { STORE_UNAVAILABLE, type StoreGuard } from '../../store/store-guard.ts';
import { agedEntry, type AnswerKey, type AnswerStore, type Purge } from './answer-store.ts';
import type { Entry } from './entry.ts';
import type { OwedNews } from './owed-news.ts';
import { END_TAG_SCRIPT, FIND_SCRIPT, GENERATIONS_SCRIPT, KEEP_SCRIPT } from './shared-answers.lua.ts';
import { answerValue, entryOf, readValue, varyValue, type SharedValue } from './shared-value.ts';
import { slotOf, TAG_SLOTS } from './tag-slots.ts';

/** Generations as they were when an answer was looked for: what was asked for since is written only if they still are. */
export interface SharedMark {
  readonly uri: string;
  readonly all: string;
  readonly purges: string;
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
  answerGenerations(...words: (string | number)[]): Promise<readonly (string | null)[]>;
  endAnswersOfTag(hash: string, field: string): Promise<number>;
  unlink(key: string): Promise<number>;
  del(key: string): Promise<number>;
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
const GENERATIONS_MS = 7 * 24 * 3_600_000;
const GENERATIONS = 'cache:generations';
const DEFAULT_MAX_BYTES = 64 * 2 ** 20;
const NOTHING: SharedFound = Object.freeze({ entry: undefined, mark: undefined });

/**
 * The second level of the store: answers in Redis, for all replicas. A request waits for it as long as its budget allows, and
 * nobody waits for what is written. It fails open: without an answer in time the upstream is asked.
 */
export class SharedAnswers {
  readonly #redis: WithScripts;
  readonly #guard: StoreGuard;
  readonly #endGuard: StoreGuard;
  readonly #local: AnswerStore;
  readonly #owed: OwedNews;
  /** What this process has written, by size: Redis is others' too, and would be full else. */
  #written: LRUCache<string, number>;
  #writing = 0;
  /** Whether a route keeps answers here. */
  isUsed = false;

  constructor(redis: Redis, guard: StoreGuard, local: AnswerStore, owed: OwedNews) {
    redis.defineCommand('findAnswer', { lua: FIND_SCRIPT, numberOfKeys: 2 });
    redis.defineCommand('keepAnswers', { lua: KEEP_SCRIPT });
    redis.defineCommand('answerGenerations', { lua: GENERATIONS_SCRIPT, numberOfKeys: 1 });
    redis.defineCommand('endAnswersOfTag', { lua: END_TAG_SCRIPT, numberOfKeys: 1 });
    this.#redis = redis as unknown as WithScripts;
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

  /** Looks for an answer, and keeps in this process what it finds, unless it was ended meanwhile. Never rejects. */
  async find(key: AnswerKey, variant: Variant): Promise<SharedFound> {
    // Fails closed: what others have not been told of yet may still be there as it was.
    if (this.#owed.covers(key.uri)) return NOTHING;
    const before = this.#local.mark(key.uri);
    const found = await this.#guard.run(() => this.#look(key, variant));
    if (found === STORE_UNAVAILABLE) return NOTHING;
    const { entry, mark } = found;
    if (entry === undefined || !this.#local.isUnchanged(key.uri, before, entry.tags.length > 0))
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
    return this.#isDone(await this.#endGuard.run(() => this.#redis.del(generationOf(uri))));
  }

  /** Ends what a purge is for; by a prefix that is everything, and what a soft one leaves by key or prefix is in processes only. */
  async purge({ by, value, soft }: Purge): Promise<boolean> {
    if (by === 'key') return this.end(value);
    if (by === 'prefix') return this.#isDone(await this.#endGuard.run(() => this.#redis.del(GENERATIONS)));
    const field = fieldOf(slotOf(value, TAG_SLOTS), soft === true);
    return this.#isDone(await this.#endGuard.run(() => this.#redis.endAnswersOfTag(GENERATIONS, field)));
  }

  #isDone(reply: unknown): boolean {
    return reply !== STORE_UNAVAILABLE;
  }

  async #look(key: AnswerKey, variant: Variant): Promise<SharedFound> {
    const names = namesOf(key);
    // Both are sent together.
    const [first, [all, purges]] = await Promise.all([this.#get(names, names.answer), this.#generations([])]);
    const uri = first.generation;
    if (uri === '' || all === '') return NOTHING;
    const mark = { uri, all, purges };
    let { value, leftMs } = first;
    if (value?.kind === 'vary' && isOf(value, names, mark))
      ({ value, leftMs } = await this.#get(names, names.variant(variant(value.vary))));
    if (value?.kind !== 'answer' || !isOf(value, names, mark)) return { entry: undefined, mark };
    if (value.variant !== variant(value.vary)) return { entry: undefined, mark };
    const entry = entryOf(value, leftMs);
    return { entry: entry && (await this.#unpurged(entry, value.tags, all)), mark };
  }

  async #get({ generation }: Names, answer: string): Promise<Got> {
    const reply = await this.#redis.findAnswerBuffer(
      generation,
      answer,
      randomUUID(),
      GENERATION_MS,
      MAX_VALUE,
    );
    const [uri, bytes, leftMs] = reply;
    const value = Buffer.isBuffer(bytes) ? readValue(bytes) : undefined;
    return { generation: String(uri), value, leftMs: Number(leftMs) };
  }

  /** The generation of everything, how many tags were purged, and the values of fields; the empty text for none. */
  async #generations(fields: readonly string[]): Promise<readonly [string, string, ...string[]]> {
    const values = await this.#redis.answerGenerations(GENERATIONS, randomUUID(), GENERATIONS_MS, ...fields);
    return values.map((value) => value ?? '') as [string, string, ...string[]];
  }

  async #unpurged(
    entry: Omit<Entry, 'tags'>,
    tags: readonly (readonly [number, number, number])[],
    all: string,
  ): Promise<Entry | undefined> {
    if (tags.length === 0) return { ...entry, tags: NO_TAGS };
    const marks = tags.map(([slot, hard, soft]) => ({ slot, hard, soft }));
    const now = await this.#tagCounts(marks);
    if (now.all !== all || marks.some(({ hard }, at) => now.counts[at]?.[1] !== hard)) return undefined;
    const isAged = marks.some(({ soft }, at) => now.counts[at]?.[2] !== soft);
    const whole = { ...entry, tags: marks };
    return isAged ? agedEntry(whole, Date.now()) : whole;
  }

  async #tagCounts(tags: readonly { readonly slot: number }[]) {
    const fields = tags.flatMap(({ slot }) => [fieldOf(slot, false), fieldOf(slot, true)]);
    const [all, purges, ...values] = await this.#generations(fields);
    const counts = tags.map(({ slot }, at) => [slot, Number(values[at * 2]), Number(values[at * 2 + 1])]);
    return { all, purges, counts };
  }

  async #write(key: AnswerKey, entry: Entry, mark: SharedMark): Promise<void> {
    const forMs = Math.floor(Math.min(entry.keptUntil - Date.now(), LONGEST_MS));
    if (forMs < 1) return;
    let tags: readonly (readonly number[])[] = [];
    if (entry.tags.length > 0) {
      const now = await this.#tagCounts(entry.tags);
      // A tag was purged since: it may be one of these.
      if (now.all !== mark.all || now.purges !== mark.purges) return;
      tags = now.counts;
    }
    const names = namesOf(key);
    const of = { of: names.answer, uri: mark.uri, all: mark.all };
    const value = answerValue(of, entry, { forMs, tags });
    if (value.length > Math.min(MAX_VALUE, this.#written.maxSize - KEY_OVERHEAD)) return;
    const values: [string, Buffer][] =
      entry.vary.length === 0
        ? [[names.answer, value]]
        : [[names.variant(entry.variant), value], [names.answer, varyValue(of, entry.vary)]]; // prettier-ignore
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

const NO_TAGS: Entry['tags'] = Object.freeze([]);

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

function fieldOf(slot: number, soft: boolean): string {
  return `${soft ? 's' : 'h'}${slot}`;
}

function isOf(value: SharedValue, { answer }: Names, mark: SharedMark): boolean {
  return value.of === answer && value.uri === mark.uri && value.all === mark.all;
}
