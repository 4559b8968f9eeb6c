import { BLOCK_WORDS, FLOW_KEY, FLOW_WORDS, KEY, NOT_PLAIN, PlainCursor } from './plain-cursor.ts';
import { placesOf, type PlaceTree } from './yaml-position.ts';

/** What a piece of YAML says, and where in the text. */
export interface PlainItem {
  readonly value: unknown;
  readonly places: PlaceTree | undefined;
  /** Where the value starts. */
  readonly offset: number;
}

const MAX_DEPTH = 20;

/**
 * Reads one item of a list as people write most of them: maps and lists by indentation, `{ }` and `[ ]` within a line, words,
 * whole numbers, durations, and texts in quotes without escapes. It reads what the YAML library would, or nothing.
 *
 * @param text the lines of the item.
 * @param start where that is in the file.
 * @param column of the `-`, from 0.
 * @returns undefined for an item that has anything else: the library has to read it.
 */
export function readPlainItem(text: string, start: number, column: number): PlainItem | undefined {
  try {
    return new PlainReader(new PlainCursor(text, column), start).item();
  } catch (error) {
    if (error === NOT_PLAIN) return undefined;
    throw error;
  }
}

class PlainReader {
  readonly #here: PlainCursor;
  readonly #start: number;
  /** Of what was read last. */
  #places: PlaceTree | undefined = undefined;
  #depth = 0;

  constructor(here: PlainCursor, start: number) {
    this.#here = here;
    this.#start = start;
  }

  item(): PlainItem {
    const read = this.#entry();
    if (this.#here.column !== -1) throw NOT_PLAIN;
    return read;
  }

  // At a `-`; leads to the next line.
  #entry(): PlainItem {
    const dash = this.#here.at;
    this.#here.at += 1;
    if (this.#here.next !== ' ') throw NOT_PLAIN;
    while (this.#here.next === ' ') this.#here.at += 1;
    const column = this.#here.column + this.#here.at - dash;
    const offset = this.#start + this.#here.at;
    if (!this.#here.sees(KEY)) {
      const value = this.#inline();
      return { value, places: this.#places, offset };
    }
    this.#here.column = column;
    const value = this.#map();
    return { value, places: this.#places, offset };
  }

  #map(): Record<string, unknown> {
    const column = this.#here.column;
    const into = new MapReading();
    this.#enter();
    while (this.#here.column === column) {
      const offset = this.#start + this.#here.at;
      const key = this.#here.takeKey(KEY);
      const value = this.#here.endsLine() ? this.#below(column) : this.#inline();
      into.add(key, { value, places: this.#places, offset });
    }
    if (this.#here.column > column) throw NOT_PLAIN;
    return this.#leave(into);
  }

  // The value of a key whose line ends after it.
  #below(column: number): unknown {
    this.#here.nextLine();
    const isList = this.#here.next === '-';
    if (this.#here.column < column || (this.#here.column === column && !isList)) throw NOT_PLAIN;
    return isList ? this.#list() : this.#map();
  }

  #list(): unknown[] {
    const column = this.#here.column;
    const items: PlainItem[] = [];
    this.#enter();
    while (this.#here.column === column && this.#here.next === '-') items.push(this.#entry());
    if (this.#here.column > column) throw NOT_PLAIN;
    this.#depth -= 1;
    return this.#listed(items);
  }

  // A value within its line, of which nothing else may follow; leads to the next line.
  #inline(): unknown {
    const value = this.#value(BLOCK_WORDS);
    if (!this.#here.endsLine()) throw NOT_PLAIN;
    this.#here.nextLine();
    return value;
  }

  #value(words: RegExp): unknown {
    this.#places = undefined;
    const first = this.#here.next;
    if (first === '{') return this.#flowMap();
    if (first === '[') return this.#flowList();
    return this.#here.takeScalar(words);
  }

  #flowMap(): Record<string, unknown> {
    const into = new MapReading();
    this.#enter();
    this.#open();
    while (this.#here.next !== '}') {
      const offset = this.#start + this.#here.at;
      const key = this.#here.takeKey(FLOW_KEY);
      const value = this.#value(FLOW_WORDS);
      into.add(key, { value, places: this.#places, offset });
      this.#comma('}');
    }
    this.#here.at += 1;
    return this.#leave(into);
  }

  #flowList(): unknown[] {
    const items: PlainItem[] = [];
    this.#enter();
    this.#open();
    while (this.#here.next !== ']') {
      const offset = this.#start + this.#here.at;
      const value = this.#value(FLOW_WORDS);
      items.push({ value, places: this.#places, offset });
      this.#comma(']');
    }
    this.#here.at += 1;
    this.#depth -= 1;
    return this.#listed(items);
  }

  #open(): void {
    this.#here.at += 1;
    this.#here.skipBlanks();
  }

  #comma(end: string): void {
    this.#here.skipBlanks();
    const next = this.#here.next;
    if (next === end) return;
    if (next !== ',') throw NOT_PLAIN;
    this.#open();
    if (this.#here.next === end) throw NOT_PLAIN;
  }

  #listed(items: readonly PlainItem[]): unknown[] {
    const offsets = items.map(({ offset }) => offset);
    const below = items.map(({ places }) => places);
    this.#places = placesOf(undefined, offsets, below);
    return items.map(({ value }) => value);
  }

  #enter(): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw NOT_PLAIN;
  }

  #leave(read: MapReading): Record<string, unknown> {
    this.#depth -= 1;
    this.#places = read.places();
    return read.value;
  }
}

/** A map while it is read. */
class MapReading {
  readonly value: Record<string, unknown> = {};
  readonly #keys: string[] = [];
  readonly #offsets: number[] = [];
  readonly #below: (PlaceTree | undefined)[] = [];

  add(key: string, { value, places, offset }: PlainItem): void {
    if (Object.hasOwn(this.value, key)) throw NOT_PLAIN;
    this.value[key] = value;
    this.#keys.push(key);
    this.#offsets.push(offset);
    this.#below.push(places);
  }

  places(): PlaceTree {
    return placesOf(this.#keys, this.#offsets, this.#below);
  }
}
