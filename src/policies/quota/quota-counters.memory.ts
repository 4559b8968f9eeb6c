import {
  byKey,
  CursorFault,
  FirstOf,
  isWanted,
  mostUsedFirst,
  type ListingPage,
  type ListingQuery,
  type UsedOfQuota,
} from './quota-listing.ts';
import type { QuotaCounters, QuotaListener, QuotaReply } from './quota-counters.ts';
import {
  count,
  EXHAUSTED,
  fits,
  keptFor,
  openWindow,
  WARNED,
  windowAt,
  type KeptWindow,
  type KeptWindows,
  type Present,
  type QuotaCount,
  type QuotaTerms,
} from './quota-count.ts';

/** How counters in this process are made. */
export interface MemoryQuotaOptions {
  /** A clock in ms since the epoch. Default `Date.now`. */
  readonly now?: () => number;
  /** Quotas that are kept at most, each of one subject. Default 100 000, about 40 MB. */
  readonly max?: number;
  /** Hears of what happens for the first time. Default: nobody does. */
  readonly onNews?: QuotaListener | undefined;
}

interface Kept {
  readonly windows: KeptWindows;
  /** In seconds since the epoch: nobody needs it from then on. */
  until: number;
}

const TIDY_STEPS = 2;
const EVICTION_SAMPLE = 32;

/** Quotas in this process: they end with it. Every answer is synchronous, so what it decides is atomic. */
export class MemoryQuotas implements QuotaCounters {
  readonly #kept = new Map<string, Kept>();
  readonly #now: () => number;
  readonly #max: number;
  readonly #onNews: QuotaListener | undefined;
  #hand: MapIterator<[string, Kept]>;

  constructor({ now = Date.now, max = 100_000, onNews }: MemoryQuotaOptions = {}) {
    this.#now = now;
    this.#max = max;
    this.#onNews = onNews;
    this.#hand = this.#kept.entries();
  }

  /** How many are kept. */
  get size(): number {
    return this.#kept.size;
  }

  take(keys: readonly string[], terms: readonly QuotaTerms[]): QuotaReply {
    const nowMs = this.#now();
    const seconds = Math.floor(nowMs / 1000);
    const looks = terms.map((one, i) => this.#look(keys[i] as string, one, seconds));
    const isRefused = terms.some((one, i) => one.mode === 'hard' && !fits((looks[i] as Look).window, one));
    const counts = terms.map((one, i) => this.#count(keys[i] as string, one, looks[i] as Look, isRefused));
    return { nowMs, counts };
  }

  /** Takes over what a store has counted, to go on from there while it cannot be asked. */
  learn(key: string, terms: QuotaTerms, { start, end, used, carried }: QuotaCount): void {
    const windows = this.#kept.get(key)?.windows ?? this.#add(key, Math.floor(this.#now() / 1000)).windows;
    const total = terms.limit + carried;
    // Whoever counts in the store has told of it.
    const told = (used >= terms.warnAt * total ? WARNED : 0) | (used >= total ? EXHAUSTED : 0);
    const window = windows.get(start);
    if (window === undefined) {
      windows.clear();
      windows.set(start, { used, carried, told, known: used });
    } else {
      window.used = window.known = used;
      window.carried = carried;
      window.told |= told;
    }
    (this.#kept.get(key) as Kept).until = end + keptFor(terms, start, end);
  }

  /**
   * The terms by which this process goes on while the store cannot be asked, as one of several: it has its part of what was left
   * when the store was heard last, and that of one request at least, as long as anything is left.
   */
  shareOf(key: string, terms: QuotaTerms, among: number): QuotaTerms {
    if (among <= 1 || terms.mode !== 'hard') return terms;
    const { window } = this.#look(key, terms, Math.floor(this.#now() / 1000));
    const left = Math.max(0, terms.limit + window.carried - (window.known ?? 0));
    const part = Math.min(left, Math.max(terms.cost, Math.floor(left / among)));
    return { ...terms, withheld: left - part };
  }

  /** Takes back what it knows of a window. */
  forget(key: string, start: number): void {
    this.#kept.get(key)?.windows.delete(start);
  }

  /**
   * Lists who has used something in the window that runs.
   *
   * @throws {CursorFault} for a cursor that is none.
   */
  page(query: ListingQuery, terms: QuotaTerms): ListingPage {
    const seconds = Math.floor(this.#now() / 1000);
    const after = query.cursor === undefined ? '' : Buffer.from(query.cursor, 'base64url').toString();
    if (query.cursor !== undefined && !after.startsWith('{'))
      throw new CursorFault('it is none that a page has told');
    const first = new FirstOf<UsedOfQuota>(query.limit, query.byUse ? mostUsedFirst : byKey);
    for (const key of this.#kept.keys()) {
      if (key <= after || !isWanted(key, query)) continue;
      const { window, present } = this.#look(key, terms, seconds);
      const [start, end] = [present.borders[present.index], present.borders[present.index + 1] as number];
      if (window.used > 0) first.add({ key, used: window.used, carried: window.carried, start, end });
    }
    const used = first.list();
    const last = first.isCut && !query.byUse ? used.at(-1)?.key : undefined;
    return {
      used,
      next: last && Buffer.from(last).toString('base64url'),
      isWhole: !first.isCut || query.byUse,
    };
  }

  #look(key: string, terms: QuotaTerms, seconds: number): Look {
    const borders = terms.calendar.bordersAt(seconds);
    const present = { borders, index: windowAt(borders, seconds) ?? 2 } as const;
    const kept = this.#kept.get(key);
    const windows = kept !== undefined && seconds < kept.until ? kept.windows : NONE;
    const window = openWindow(windows, terms, present);
    return { present, window, isNew: !windows.has(borders[present.index]), seconds };
  }

  #count(key: string, terms: QuotaTerms, look: Look, isRefused: boolean): QuotaCount {
    const { window, present, isNew } = look;
    const hasRoom = fits(window, terms);
    const { used } = window;
    const news = count(window, terms, isRefused);
    const start = present.borders[present.index];
    const end = present.borders[present.index + 1] as number;
    const isToKeep = used !== window.used || news > 0 || terms.mode === 'reset' || terms.mode === 'back';
    if (isNew && isToKeep) this.#keep(key, look);
    if (isToKeep) (this.#kept.get(key) as Kept).until = end + keptFor(terms, start, end);
    const counted = { fits: hasRoom, used: window.used, carried: window.carried, start, end, news };
    if (news > 0) this.#onNews?.(key, terms, counted);
    return counted;
  }

  /** Keeps a window, with the one before and the one after it, because clocks may jump. */
  #keep(key: string, { window, present, seconds }: Look): void {
    const { borders, index } = present;
    let kept = this.#kept.get(key);
    if (kept === undefined) kept = this.#add(key, seconds);
    else if (seconds >= kept.until) kept.windows.clear();
    for (const start of kept.windows.keys())
      if (start !== borders[(index - 1) as 0] && start !== borders[(index + 1) as 2])
        kept.windows.delete(start);
    kept.windows.set(borders[index], window);
  }

  #add(key: string, seconds: number): Kept {
    this.#makeRoom(seconds);
    const kept: Kept = { windows: new Map(), until: Infinity };
    this.#kept.set(key, kept);
    return kept;
  }

  /** Drops what is over as new keys arrive; where all is needed, what has been used least, which forgets least. */
  #makeRoom(seconds: number): void {
    const crowded = this.#kept.size >= this.#max;
    let victim: string | undefined;
    let least = Infinity;
    for (let step = crowded ? EVICTION_SAMPLE : TIDY_STEPS; step > 0; step -= 1) {
      const [key, kept] = this.#next() ?? [];
      if (key === undefined || kept === undefined) break;
      const used = seconds >= kept.until ? -1 : usedOf(kept.windows);
      if (used < 0) this.#kept.delete(key);
      if (used < 0 && crowded) return;
      if (used >= 0 && used < least) [victim, least] = [key, used];
    }
    if (crowded && victim !== undefined) this.#kept.delete(victim);
  }

  #next(): [string, Kept] | undefined {
    let next = this.#hand.next();
    if (next.done === true) {
      this.#hand = this.#kept.entries();
      next = this.#hand.next();
    }
    return next.done === true ? undefined : next.value;
  }
}

interface Look {
  readonly present: Present;
  readonly window: KeptWindow;
  /** Whether it is not kept yet. */
  readonly isNew: boolean;
  readonly seconds: number;
}

const NONE: KeptWindows = new Map();

function usedOf(windows: KeptWindows): number {
  let used = 0;
  for (const window of windows.values()) used += window.used;
  return used;
}
