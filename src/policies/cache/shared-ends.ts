import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Purge } from './answer-store.ts';
import { PurgedPrefixes, keptPrefix, RING_SIZE } from './purged-prefixes.ts';
import { AGE_SCRIPT, END_PREFIX_SCRIPT, END_TAG_SCRIPT, ENDS_SCRIPT } from './shared-answers.lua.ts';
import { slotOf, TAG_SLOTS } from './tag-slots.ts';

/** What had ended when an answer was looked for, or the upstream was asked for it. */
export interface EndsMark {
  /** The generation of everything. */
  readonly all: string;
  /** How often was purged by tag or prefix. */
  readonly purges: number;
}

/** The same, as it is now. */
export interface Ends extends EndsMark {
  /** How often by prefix. */
  readonly prefixes: number;
}

/** An answer of which it is to be known whether it has ended. */
export interface MayHaveEnded extends EndsMark {
  /** The URI that it is of. */
  readonly of: string;
  /** Slots of its tags. */
  readonly tags: readonly number[];
}

/** Send EVALSHA; ioredis sends the script itself where the server does not know it (yet, or any more). */
interface WithScripts {
  answerEnds(...words: (string | number)[]): Promise<readonly (string | null)[]>;
  endAnswersOfTag(hash: string, field: string): Promise<number>;
  endAnswersBelow(hash: string, kept: string, ring: number): Promise<number>;
  ageAnswers(generation: string): Promise<number>;
  del(key: string): Promise<number>;
}

const ENDS_MS = 7 * 24 * 3_600_000;
const ENDS = 'cache:generations';

/**
 * What has ended in Redis. Each purge by tag or prefix has a number: an answer knows how many there had been when its upstream
 * was asked, and is dead, wherever it is, if a later one was for it. So to purge is one command, however many answers end.
 */
export class SharedEnds {
  readonly #redis: WithScripts;
  readonly #prefixes = new PurgedPrefixes();

  constructor(redis: Redis) {
    redis.defineCommand('answerEnds', { lua: ENDS_SCRIPT, numberOfKeys: 1 });
    redis.defineCommand('endAnswersOfTag', { lua: END_TAG_SCRIPT, numberOfKeys: 1 });
    redis.defineCommand('endAnswersBelow', { lua: END_PREFIX_SCRIPT, numberOfKeys: 1 });
    redis.defineCommand('ageAnswers', { lua: AGE_SCRIPT, numberOfKeys: 1 });
    this.#redis = redis as unknown as WithScripts;
  }

  /** What has ended by now; undefined where Redis has no room to say. */
  async now(): Promise<Ends | undefined> {
    const { ends } = await this.#read([]);
    return ends.all === '' ? undefined : ends;
  }

  /** What became of an answer. */
  async stateOf(answer: MayHaveEnded, now: Ends): Promise<'current' | 'aged' | 'purged'> {
    if (answer.all !== now.all) return 'purged';
    if (answer.purges === now.purges) return 'current';
    const ofTags = answer.tags.flatMap((slot) => [fieldOf(slot, false), fieldOf(slot, true)]);
    const unread = this.#prefixes.unread(now.all, now.prefixes);
    const { ends, values } = await this.#read(['lost', ...ofTags, ...unread]);
    // Everything was purged meanwhile, or more by prefix: the service is asked.
    if (ends.all !== now.all || ends.prefixes !== now.prefixes) return 'purged';
    this.#prefixes.take(ends.all, ends.prefixes, new Map(unread.map((one) => [one, values.get(one) ?? ''])));
    const isLater = (field: string): boolean => Number(values.get(field) ?? 0) > answer.purges;
    if (isLater('lost') || answer.tags.some((slot) => isLater(fieldOf(slot, false)))) return 'purged';
    const state = this.#prefixes.stateOf(answer.of, answer.purges);
    return state === 'current' && answer.tags.some((slot) => isLater(fieldOf(slot, true))) ? 'aged' : state;
  }

  /** Ends all answers of a URI. @param generation the name of its generation. */
  async endUri(generation: string, soft: boolean): Promise<void> {
    await (soft ? this.#redis.ageAnswers(generation) : this.#redis.del(generation));
  }

  /** Ends what a purge by tag or prefix is for. */
  async purge({ by, value, soft }: Purge): Promise<void> {
    if (by === 'tag')
      await this.#redis.endAnswersOfTag(ENDS, fieldOf(slotOf(value, TAG_SLOTS), soft === true));
    else if (value === '' && soft !== true) await this.#redis.del(ENDS);
    else await this.#redis.endAnswersBelow(ENDS, keptPrefix(value, soft === true), RING_SIZE);
  }

  async #read(fields: readonly string[]) {
    const said = await this.#redis.answerEnds(ENDS, randomUUID(), ENDS_MS, ...fields);
    const [all, purges, prefixes, ...rest] = said;
    const ends: Ends = { all: all ?? '', purges: Number(purges ?? 0), prefixes: Number(prefixes ?? 0) };
    return { ends, values: new Map(fields.map((field, at) => [field, rest[at] ?? undefined])) };
  }
}

function fieldOf(slot: number, soft: boolean): string {
  return `${soft ? 's' : 'h'}${slot}`;
}
