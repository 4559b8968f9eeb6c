import type { IgnoredPlaces } from './ignored-places.ts';
import { isSameNumber } from './same-number.ts';

/** How two JSON values can differ at a place. */
export type JsonDifferenceKind = 'missing' | 'added' | 'type' | 'value' | 'length';

/** Paths of places that differ, by how they do; some of each. */
export type Differences = Map<string, string[]>;

/** Paths that are kept of each kind. */
const MOST_PATHS = 5;
const MOST_SEGMENTS = 16;
/** What names of fields look like; anything else may be what somebody has entered. */
const FIELD_NAME = /^[A-Za-z_$][A-Za-z_$-]{0,39}\d{0,2}$/;

/**
 * How two JSON values differ: members of objects are compared whatever their order, numbers exactly. Of lists of different
 * length only that is told. Paths hold no values, and `*` in place of indexes and of names of members that may be data, such as ids.
 *
 * @param expected, actual as `parseWithNumbers` reads them, of bounded depth.
 */
export function jsonDifferences(expected: unknown, actual: unknown, ignored: IgnoredPlaces): Differences {
  const walk = new Walk();
  walk.compare(expected, actual, [ignored]);
  return walk.found;
}

type Json = Readonly<Record<string, unknown>>;

class Walk {
  readonly found: Differences = new Map();
  readonly #path: string[] = [];

  compare(expected: unknown, actual: unknown, ignored: readonly IgnoredPlaces[]): void {
    if (ignored.some(({ isIgnored }) => isIgnored)) return;
    const type = typeOf(expected);
    if (type !== typeOf(actual)) return this.#note('type');
    if (type === 'array') this.#lists(expected as unknown[], actual as unknown[], ignored);
    else if (type === 'object') this.#objects(expected as Json, actual as Json, ignored);
    else if (type === 'number') {
      if (!isSameNumber(numberText(expected), numberText(actual))) this.#note('value');
    } else if (expected !== actual) this.#note('value');
  }

  #lists(expected: readonly unknown[], actual: readonly unknown[], ignored: readonly IgnoredPlaces[]): void {
    if (expected.length !== actual.length) return this.#note('length');
    for (let i = 0; i < expected.length; i += 1) {
      this.#path.push(String(i));
      this.compare(
        expected[i],
        actual[i],
        below(ignored, (place) => place.element(i)),
      );
      this.#path.pop();
    }
  }

  #objects(expected: Json, actual: Json, ignored: readonly IgnoredPlaces[]): void {
    for (const name of Object.keys(expected)) {
      const places = below(ignored, (place) => place.member(name));
      this.#path.push(name);
      if (Object.hasOwn(actual, name)) this.compare(expected[name], actual[name], places);
      else this.#noteUnless(places, 'missing');
      this.#path.pop();
    }
    for (const name of Object.keys(actual)) {
      if (Object.hasOwn(expected, name)) continue;
      this.#path.push(name);
      this.#noteUnless(
        below(ignored, (place) => place.member(name)),
        'added',
      );
      this.#path.pop();
    }
  }

  #noteUnless(ignored: readonly IgnoredPlaces[], kind: JsonDifferenceKind): void {
    if (!ignored.some(({ isIgnored }) => isIgnored)) this.#note(kind);
  }

  #note(kind: JsonDifferenceKind): void {
    let paths = this.found.get(kind);
    if (paths === undefined) this.found.set(kind, (paths = []));
    if (paths.length < MOST_PATHS) paths.push(shown(this.#path));
  }
}

function below(
  ignored: readonly IgnoredPlaces[],
  next: (place: IgnoredPlaces) => readonly IgnoredPlaces[],
): readonly IgnoredPlaces[] {
  return ignored.length === 0 ? ignored : ignored.flatMap(next);
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return JSON.isRawJSON(value) ? 'number' : typeof value;
}

function numberText(value: unknown): string {
  return typeof value === 'number' ? String(value) : (value as { readonly rawJSON: string }).rawJSON;
}

/** A path without anything that may be data, nor indexes: a name can look like one. */
function shown(path: readonly string[]): string {
  const segments = path
    .slice(0, MOST_SEGMENTS)
    .map((segment) => (FIELD_NAME.test(segment) ? segment : '*'))
    .join('/');
  return `/${segments}${path.length > MOST_SEGMENTS ? '/…' : ''}`;
}
