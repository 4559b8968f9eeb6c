import { LRUCache } from 'lru-cache';
import type { Exchange, Answer } from '../../exchange/exchange.ts';

/** A stored answer with its times, on the clock of `Date.now()`. */
export interface Entry {
  readonly answer: Answer;
  /** Request fields that the answer depends on, lower-case. */
  readonly vary: readonly string[];
  /** A digest of the values that it was made for. */
  readonly variant: string;
  /** When the answer was made, as far as its `Age` tells. */
  readonly storedAt: number;
  readonly freshUntil: number;
  readonly staleUntil: number;
}

/** Under what an answer is kept. */
export interface AnswerKey {
  /** Host, path and query, of which a request that changes something makes all answers invalid. */
  readonly uri: string;
  /** Everything else that tells answers apart. */
  readonly caller: string;
}

const DEFAULT_MAX_BYTES = 64 * 2 ** 20;
const ENTRY_OVERHEAD_BYTES = 512;
const FIRST_ERROR_STATUS = 400;
/** Methods that change nothing (RFC 9110 section 9.2.1); one that is not known may. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);
/** Power of two. */
const CHANGE_SLOTS = 1024;

/**
 * Keeps answers in this process, bounded in bytes; the one that was used longest ago goes first.
 * A key holds one answer: another variant (`Vary`) replaces it.
 */
export class AnswerStore {
  readonly #entries: LRUCache<string, Entry>;
  readonly #keysOf = new Map<string, Set<string>>();
  /** How often something changed, by a hash of its URI: what was asked for before must not be stored after. */
  readonly #changes = new Uint32Array(CHANGE_SLOTS);
  /** Whether a route keeps answers here. */
  isUsed = false;

  constructor(maxBytes = DEFAULT_MAX_BYTES) {
    this.#entries = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: (entry, name) => weightOf(name, entry),
      dispose: (_, name) => this.#forgotten(name),
    });
  }

  /** The entry of a key, fresh or stale, or undefined. */
  get(key: AnswerKey): Entry | undefined {
    const name = nameOf(key);
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    if (entry.staleUntil <= Date.now()) {
      this.#entries.delete(name);
      return undefined;
    }
    return entry;
  }

  /** The same, and it stays as it is: it counts for no use, and what is over is not removed. */
  peek(key: AnswerKey): Entry | undefined {
    const entry = this.#entries.peek(nameOf(key));
    return entry === undefined || entry.staleUntil <= Date.now() ? undefined : entry;
  }

  /** Stores an entry. */
  set(key: AnswerKey, entry: Entry): void {
    const name = nameOf(key);
    // What the key held has gone, also where the new one is too large.
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    if (!this.#entries.has(name)) return;
    const names = this.#keysOf.get(key.uri);
    if (names === undefined) this.#keysOf.set(key.uri, new Set([name]));
    else names.add(name);
  }

  /** Has an exchange tell of its success when it may change something (RFC 9111 section 4.4). */
  watch(exchange: Exchange): void {
    if (this.isUsed && !SAFE.has(exchange.method)) exchange.outdates = this;
  }

  /** Takes note that an exchange was answered. */
  answered(exchange: Exchange, status: number): void {
    if (status < FIRST_ERROR_STATUS) this.invalidate(uriOf(exchange));
  }

  /** Removes every answer of a URI, whoever it was for, and keeps those from being stored that are under way. */
  invalidate(uri: string): void {
    const slot = slotOf(uri);
    this.#changes[slot] = (this.#changes[slot] ?? 0) + 1;
    for (const name of this.#keysOf.get(uri) ?? []) this.#entries.delete(name);
  }

  /** A number that is another one once the URI was invalidated, and now and then without. */
  changesOf(uri: string): number {
    return this.#changes[slotOf(uri)] ?? 0;
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

// A digest has no line break.
function nameOf({ uri, caller }: AnswerKey): string {
  return `${uri}\n${caller}`;
}

function weightOf(name: string, { answer, vary }: Entry): number {
  let weight = name.length + answer.body.length + ENTRY_OVERHEAD_BYTES;
  for (const text of answer.headers) weight += text.length;
  for (const field of vary) weight += field.length;
  return weight;
}

function slotOf(uri: string): number {
  let slot = 0;
  for (let i = 0; i < uri.length; i += 1) slot = (slot * 31 + uri.charCodeAt(i)) | 0;
  return slot & (CHANGE_SLOTS - 1);
}
