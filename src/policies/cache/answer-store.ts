import { LRUCache } from 'lru-cache';
import { fieldOf } from '../../exchange/field-list.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { groupsOf } from './cache-groups.ts';
import { agedEntry, weightOfEntry, type Entry, type TagMark } from './entry.ts';
import { RecentChanges } from './recent-changes.ts';
import { TagSlots } from './tag-slots.ts';

export type { Entry } from './entry.ts';

/** Under what an answer is kept. */
export interface AnswerKey {
  /** Host, path and query, of which a request that changes something makes all answers invalid. */
  readonly uri: string;
  /** Everything else that tells answers apart. */
  readonly caller: string;
}

/** What is known of the store when an answer is asked for: once it is another, that answer is not kept. */
export interface StoreMark {
  readonly changes: number;
  readonly tagPurges: number;
}

/** What is to be purged: all answers of a URI, of all that begin so, or of a tag. */
export interface Purge {
  readonly by: 'key' | 'prefix' | 'tag';
  readonly value: string;
  /** Whether they stay to be revalidated, and to stand in for a failing upstream. Default false. */
  readonly soft?: boolean | undefined;
}

/** The answers of one key, the newest first. */
interface Shelf {
  readonly entries: readonly Entry[];
}

const DEFAULT_MAX_BYTES = 64 * 2 ** 20;
const FIRST_ERROR_STATUS = 400;
/** Variants of one key; the one that was stored longest ago goes. */
const MAX_VARIANTS = 32;
/** Methods that change nothing (RFC 9110 section 9.2.1); one that is not known may. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);
/** Fields of a successful answer that name what has changed as well (RFC 9111 section 4.4). */
const ALSO_CHANGED = ['location', 'content-location'] as const;

/** Keeps answers in this process, bounded in bytes, several variants (`Vary`) of each; what was used longest ago goes first. */
export class AnswerStore {
  readonly tags = new TagSlots();
  #shelves: LRUCache<string, Shelf>;
  readonly #keysOf = new Map<string, Set<string>>();
  /** What was asked for before it changed must not be stored after. */
  readonly #changes = new RecentChanges();
  /** Whether a route keeps answers here. */
  isUsed = false;
  /** Hears of each key that there was no room for. */
  onEvicted: (() => void) | undefined = undefined;
  /** Hears of each URI that has changed here. */
  onInvalidated: ((uri: string) => void) | undefined = undefined;
  /** Hears of what an answer has purged (RFC 9875). */
  onPurged: ((purges: readonly Purge[]) => void) | undefined = undefined;

  constructor(maxBytes = DEFAULT_MAX_BYTES) {
    this.#shelves = this.#ofSize(maxBytes);
  }

  /** Takes over how much it may hold, in bytes; what was used longest ago goes if that is less. */
  resize(maxBytes: number): void {
    if (this.#shelves.maxSize === maxBytes) return;
    const old = this.#shelves;
    this.#shelves = this.#ofSize(maxBytes);
    // Too large by itself now, it is not taken and not told of.
    old.rforEach((shelf, name) => {
      if (!this.#shelves.set(name, shelf).has(name)) this.#forgotten(name);
    });
  }

  /** Gives up all that it holds, and what is under way. */
  clear(): void {
    this.#changes.endedAll();
    this.#shelves.clear();
  }

  #ofSize(maxSize: number): LRUCache<string, Shelf> {
    return new LRUCache({
      maxSize,
      sizeCalculation: (shelf, name) => weightOf(name, shelf),
      dispose: (_, name, reason) => {
        if (reason === 'evict') this.onEvicted?.();
        this.#forgotten(name);
      },
    });
  }

  /** What it holds, for the metrics. */
  get usage(): { readonly bytes: number; readonly keys: number } {
    return { bytes: this.#shelves.calculatedSize, keys: this.#shelves.size };
  }

  /** The entry of a key for a request, fresh or stale, or undefined. @param variant of the request, by names of fields. */
  get(key: AnswerKey, variant: (names: readonly string[]) => string): Entry | undefined {
    const shelf = this.#shelves.get(nameOf(key));
    const entry = this.#select(shelf, variant);
    // Its age begins when it is seen: what may be given meanwhile counts from here.
    if (entry !== undefined && shelf?.entries.includes(entry) !== true) this.set(key, entry);
    return entry;
  }

  /** The same, and it stays as it is: it counts for no use. */
  peek(key: AnswerKey, variant: (names: readonly string[]) => string): Entry | undefined {
    return this.#select(this.#shelves.peek(nameOf(key)), variant);
  }

  /** The request fields that answers of a key were told apart by lately; undefined where none is stored. */
  variesBy(key: AnswerKey): readonly string[] | undefined {
    return this.#shelves.peek(nameOf(key))?.entries[0]?.vary;
  }

  /** Whether anything is stored under a key that may be used still. */
  holds(key: AnswerKey): boolean {
    const now = Date.now();
    const entries = this.#shelves.peek(nameOf(key))?.entries;
    return entries?.some((one) => this.#stateOf(one, now) !== 'purged') === true;
  }

  /** Other entries of a key, the newest first. */
  others(key: AnswerKey, entry: Entry | undefined): readonly Entry[] {
    const now = Date.now();
    const entries = this.#shelves.peek(nameOf(key))?.entries ?? [];
    return entries.filter((one) => one !== entry && this.#stateOf(one, now) !== 'purged');
  }

  /** Has another entry stand in the place of one. @returns false where that one has gone meanwhile. */
  replace(key: AnswerKey, entry: Entry, by: Entry): boolean {
    const name = nameOf(key);
    const entries = this.#shelves.peek(name)?.entries;
    if (entries?.includes(entry) !== true) return false;
    this.#put(
      key,
      entries.map((one) => (one === entry ? by : one)),
    );
    return true;
  }

  /** Stores an entry, in place of the one for the same request. */
  set(key: AnswerKey, entry: Entry): void {
    const now = Date.now();
    const others = (this.#shelves.peek(nameOf(key))?.entries ?? []).filter(
      (one) => one.keptUntil > now && !(one.variant === entry.variant && isSame(one.vary, entry.vary)),
    );
    this.#put(key, [entry, ...others.slice(0, MAX_VARIANTS - 1)]);
  }

  #put(key: AnswerKey, entries: readonly Entry[]): void {
    const name = nameOf(key);
    // What the key held has gone, also where the new one is too large.
    this.#shelves.delete(name);
    this.#shelves.set(name, { entries });
    if (!this.#shelves.has(name)) return;
    const names = this.#keysOf.get(key.uri);
    if (names === undefined) this.#keysOf.set(key.uri, new Set([name]));
    else names.add(name);
  }

  /** Removes one entry, which holds no more. */
  remove(key: AnswerKey, entry: Entry): void {
    const name = nameOf(key);
    const entries = this.#shelves.peek(name)?.entries.filter((one) => one !== entry) ?? [];
    this.#shelves.delete(name);
    for (const one of entries.reverse()) this.set(key, one);
  }

  /** Has an exchange tell of its success when it may change something (RFC 9111 section 4.4). */
  watch(exchange: Exchange): void {
    if (this.isUsed && !SAFE.has(exchange.method)) exchange.outdates = this;
  }

  /** Takes note that an exchange was answered. @param headers of the answer, names and values. */
  answered(exchange: Exchange, status: number, headers: readonly string[]): void {
    if (status >= FIRST_ERROR_STATUS) return;
    this.#changed(uriOf(exchange));
    for (const name of ALSO_CHANGED) {
      const place = fieldOf(headers, name);
      const uri = place === undefined ? undefined : uriIn(place, exchange);
      if (uri !== undefined) this.#changed(uri);
    }
    const groups = groupsOf(headers, 'cache-group-invalidation', exchange.host);
    if (groups.length === 0) return;
    for (const group of groups) this.tags.purge(group, false);
    this.onPurged?.(groups.map((value) => ({ by: 'tag', value })));
  }

  #changed(uri: string): void {
    this.invalidate(uri);
    this.onInvalidated?.(uri);
  }

  /** Removes every answer of a URI, whoever it was for, and keeps those from being stored that are under way. */
  invalidate(uri: string): number {
    this.#changes.changed(uri);
    const names = [...(this.#keysOf.get(uri) ?? [])];
    for (const name of names) this.#shelves.delete(name);
    return names.length;
  }

  /**
   * Purges answers, those under way too. What is purged by a tag goes when it is next looked for.
   *
   * @returns how many keys were emptied at once.
   */
  purge({ by, value, soft }: Purge): number {
    if (by === 'tag') {
      this.tags.purge(value, soft === true);
      return 0;
    }
    if (by === 'key') this.#changes.changed(value);
    else this.#changes.endedBelow(value);
    const uris = by === 'key' ? [value] : [...this.#keysOf.keys()].filter((uri) => uri.startsWith(value));
    const names = uris.flatMap((uri) => [...(this.#keysOf.get(uri) ?? [])]);
    for (const name of names)
      if (soft === true) this.#age(name);
      else this.#shelves.delete(name);
    return names.length;
  }

  /** What is to be compared when an answer comes that is asked for now. */
  mark(): StoreMark {
    return { changes: this.#changes.now, tagPurges: this.tags.count };
  }

  /**
   * Whether nothing was changed or purged meanwhile that the answer may show as it was before; too often not, at worst.
   *
   * @param tags of the answer.
   */
  isUnchanged(uri: string, { changes, tagPurges }: StoreMark, tags: readonly TagMark[]): boolean {
    return !this.#changes.hasEnded(uri, changes) && !this.tags.wasPurged(tags, tagPurges);
  }

  // Ends the freshness of all that a key holds.
  #age(name: string): void {
    const now = Date.now();
    const shelf = this.#shelves.peek(name);
    const entries = shelf?.entries.map((one) => agedEntry(one, now));
    if (entries === undefined) return;
    const uri = name.slice(0, name.lastIndexOf('\n'));
    this.#shelves.set(name, { entries });
    this.#keysOf.set(uri, (this.#keysOf.get(uri) ?? new Set()).add(name));
  }

  #select(shelf: Shelf | undefined, variant: (names: readonly string[]) => string): Entry | undefined {
    if (shelf === undefined) return undefined;
    const now = Date.now();
    for (const entry of shelf.entries) {
      if (entry.keptUntil <= now || entry.variant !== variant(entry.vary)) continue;
      const state = this.#stateOf(entry, now);
      if (state === 'current') return entry;
      if (state === 'aged') return { ...agedEntry(entry, now), tags: this.tags.again(entry.tags) };
    }
    return undefined;
  }

  #stateOf({ keptUntil, tags }: Entry, now: number): 'current' | 'aged' | 'purged' {
    if (keptUntil <= now) return 'purged';
    return tags.length === 0 ? 'current' : this.tags.stateOf(tags);
  }

  #forgotten(name: string): void {
    const uri = name.slice(0, name.lastIndexOf('\n'));
    const names = this.#keysOf.get(uri);
    names?.delete(name);
    if (names?.size === 0) this.#keysOf.delete(uri);
  }
}

/** What an exchange asks for, whatever its method and route. The port does not count: too much is invalid at worst. */
export function uriOf({ host, path, query }: Exchange): string {
  return host + path + query;
}

// Another origin is not this one's to speak for.
function uriIn(place: string, exchange: Exchange): string | undefined {
  const { scheme, host, path } = exchange;
  const url = URL.parse(place, `${scheme}://${host}${path}`);
  if (url === null || url.hostname !== host) return undefined;
  return host + url.pathname + url.search;
}

// A digest has no line break.
function nameOf({ uri, caller }: AnswerKey): string {
  return `${uri}\n${caller}`;
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, at) => name === other[at]);
}

function weightOf(name: string, { entries }: Shelf): number {
  return entries.reduce((sum, entry) => sum + weightOfEntry(entry), name.length);
}
