import { fits, type QuotaCount, type QuotaTerms } from './quota-count.ts';
import type { QuotaReply } from './quota-counters.ts';

/** A refusal, as it was heard. */
interface Note {
  readonly keys: readonly string[];
  readonly reply: QuotaReply;
  readonly heardAt: number;
  readonly until: number;
}

/** How long a refusal is repeated without asking, in ms: what others give back meanwhile is found that much later. */
export const NOTE_MS = 1000;
const MOST_NOTES = 10_000;

/**
 * What the store has refused a moment ago. What is used of a window only grows, but for what is given back or reset, so that a
 * refusal can be repeated without asking: it never lets anything pass. By the limit of the moment, so that a larger one holds
 * at once; never beyond the window; and never for less than was refused.
 */
export class RefusalNotes {
  readonly #notes = new Map<string, Note>();
  readonly #now: () => number;
  readonly #most: number;

  /** @param now a clock in ms. */
  constructor(now: () => number = Date.now, most = MOST_NOTES) {
    this.#now = now;
    this.#most = most;
  }

  /** How many there are. */
  get size(): number {
    return this.#notes.size;
  }

  /** The refusal of what is asked; undefined where nobody knows. */
  repeated(keys: readonly string[], terms: readonly QuotaTerms[]): QuotaReply | undefined {
    if (this.#notes.size === 0) return undefined;
    for (let i = 0; i < keys.length; i += 1) {
      const note = terms[i]?.mode === 'hard' ? this.#find(keys[i] as string) : undefined;
      if (note !== undefined && isSame(note, keys, terms)) return this.#again(note);
    }
    return undefined;
  }

  /** Takes note of what a store has answered, if it has refused. */
  hear(keys: readonly string[], terms: readonly QuotaTerms[], reply: QuotaReply): void {
    const at = terms.findIndex(({ mode }, i) => mode === 'hard' && reply.counts[i]?.fits === false);
    const count = reply.counts[at];
    if (count === undefined) return;
    const key = keys[at] as string;
    const heardAt = this.#now();
    const until = heardAt + Math.min(NOTE_MS, count.end * 1000 - reply.nowMs);
    // Whoever was refused last stands at the end.
    this.#notes.delete(key);
    this.#notes.set(key, { keys, reply, heardAt, until });
    if (this.#notes.size <= this.#most) return;
    for (const oldest of this.#notes.keys()) return void this.#notes.delete(oldest);
  }

  /** Forgets what was refused for quotas, of which there may be more again. */
  forget(keys: readonly string[]): void {
    for (const key of keys) this.#notes.delete(key);
  }

  #find(key: string): Note | undefined {
    const note = this.#notes.get(key);
    if (note === undefined) return undefined;
    const now = this.#now();
    // A clock that was set back says nothing of how long ago it was.
    if (now >= note.heardAt && now < note.until) return note;
    this.#notes.delete(key);
    return undefined;
  }

  #again({ reply, heardAt }: Note): QuotaReply {
    const nowMs = reply.nowMs + this.#now() - heardAt;
    return { nowMs, counts: reply.counts.map(withoutNews), isNoted: true };
  }
}

// Where anything else would come of it for any of the quotas, the store has to say it.
function isSame({ keys, reply }: Note, asked: readonly string[], terms: readonly QuotaTerms[]): boolean {
  if (keys.length !== asked.length) return false;
  return terms.every((one, i) => {
    const count = reply.counts[i];
    const isCounted = one.mode === 'hard' || one.mode === 'soft' || one.mode === 'shadow';
    return isCounted && count !== undefined && keys[i] === asked[i] && count.fits === hasRoom(count, one);
  });
}

function hasRoom({ used, carried }: QuotaCount, terms: QuotaTerms): boolean {
  return fits({ used, carried, told: 0 }, terms);
}

function withoutNews(count: QuotaCount): QuotaCount {
  return count.news === 0 ? count : { ...count, news: 0 };
}
