import { PlainFault } from '../telemetry/error-facts.ts';

/** Most elements of a list of the principal, such as its roles, that conditions look at. */
export const MAX_NAMES = 256;
/** Most members of a list or object of claims, bodies and arguments for a condition that goes through lists. */
export const MAX_GONE_THROUGH = 64;
/** Most values in all of them together, and how deep they may be. */
export const MAX_VALUES = 2000;
const MAX_DEPTH = 16;
/** Most text in all of them together, in UTF-16 units. */
const MAX_TEXTS = 128 * 1024;
/** Longest text in them, in UTF-16 units. */
export const MAX_TEXT = 16 * 1024;

/** How much of a value is looked at. */
export interface Bounds {
  /** What it is, for messages. */
  readonly of: string;
  /** Whether the condition goes through lists. */
  readonly goesThrough: boolean;
}

/** What was made of a value once: itself, or why it cannot be looked at. */
export type Made<Value> = { readonly value: Value } | { readonly error: unknown };

/** Makes something once; what it throws is kept as well, for a macro would ask again for each element. */
export function made<Value>(make: () => Value): Made<Value> {
  try {
    return { value: make() };
  } catch (error) {
    return { error };
  }
}

/** What was made. @throws what making it has thrown. */
export function takeMade<Value>(of: Made<Value>): Value {
  if ('error' in of) throw of.error;
  return of.value;
}

/** Why a condition can say neither yes nor no about a request. */
export class Untold extends PlainFault {}

/** The same names. @throws {Untold} for more than conditions look at. */
export function boundedNames(names: readonly string[], of: string): readonly string[] {
  if (names.length > MAX_NAMES) throw new Untold(`${of} has more than ${MAX_NAMES} elements`);
  return names;
}

/**
 * Some members of an object, each bounded; one that is not there is left out.
 *
 * @throws {Untold} like {@link boundedValue}.
 */
export function boundedMembers(
  value: unknown,
  names: readonly string[] | undefined,
  bounds: Bounds,
): unknown {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (names === undefined || !isObject) return boundedValue(value, bounds);
  const bounding = new Bounding(bounds);
  // Own or inherited: an object of a class may have getters. What every object has is no data.
  const there = names.filter((name) => name in value && !(name in Object.prototype));
  return new Map(there.map((name) => [name, bounding.value((value as Record<string, unknown>)[name], 1)]));
}

/**
 * A value as conditions can look at it, in time that is known: plain data as it is, objects of classes as what they hold.
 *
 * @throws {Untold} for more than conditions look at, and for what is no data.
 */
export function boundedValue(value: unknown, bounds: Bounds): unknown {
  return new Bounding(bounds).value(value, 0);
}

class Bounding {
  readonly #of: string;
  readonly #members: number;
  #left = MAX_VALUES;
  #textLeft = MAX_TEXTS;

  constructor({ of, goesThrough }: Bounds) {
    this.#of = of;
    this.#members = goesThrough ? MAX_GONE_THROUGH : MAX_VALUES;
  }

  value(value: unknown, depth: number): unknown {
    this.#left -= 1;
    if (this.#left < 0 || depth > MAX_DEPTH) throw new Untold(`${this.#of} holds too many values`);
    if (value === undefined) return null;
    if (typeof value === 'string') return this.#text(value);
    if (typeof value === 'function' || typeof value === 'symbol')
      throw new Untold(`${this.#of} holds no data`);
    if (typeof value !== 'object' || value === null || value instanceof Date) return value;
    return Array.isArray(value) ? this.#list(value, depth) : this.#object(value, depth);
  }

  #text(text: string): string {
    this.#textLeft -= text.length;
    if (text.length > MAX_TEXT || this.#textLeft < 0)
      throw new Untold(`${this.#of} holds a text that is too long`);
    return text;
  }

  #list(list: readonly unknown[], depth: number): unknown {
    if (list.length > this.#members) throw new Untold(`${this.#of} holds a list that is too long`);
    return Array.from(list, (one) => this.value(one, depth + 1));
  }

  #object(object: object, depth: number): unknown {
    const entries = Object.entries(object);
    if (entries.length > this.#members) throw new Untold(`${this.#of} holds an object with too many members`);
    // A Map: names such as `__proto__` are names like others in it.
    return new Map(entries.map(([name, one]) => [this.#text(name), this.value(one, depth + 1)]));
  }
}
