import { isDeepStrictEqual } from 'node:util';
import type { ExpectedText } from './expectation.schema.ts';

/** One thing that is not as it was expected. */
export interface Mismatch {
  /** Below the expectation: `received.users.headers.x-tier`. */
  readonly path: readonly (string | number)[];
  readonly expected: unknown;
  readonly got: unknown;
}

type Path = Mismatch['path'];

/** Compares two values; nothing is said of what is not expected. */
export function same(path: Path, expected: unknown, got: unknown): Mismatch[] {
  return expected === undefined || expected === got ? [] : [{ path, expected, got }];
}

/** Compares a text with a text, a pattern, or `null` for none. */
export function textOf(path: Path, expected: ExpectedText | undefined, got: string | undefined): Mismatch[] {
  if (typeof expected !== 'object' || expected === null) return same(path, expected, got ?? null);
  const isMatch = got !== undefined && new RegExp(expected.matches, 'u').test(got);
  return isMatch ? [] : [{ path, expected: `matches ${expected.matches}`, got: got ?? null }];
}

/** Compares fields, whatever the case of their names. */
export function fieldsIn(
  path: Path,
  expected: Readonly<Record<string, ExpectedText>> = {},
  got: Readonly<Record<string, string | undefined>>,
): Mismatch[] {
  return Object.entries(expected).flatMap(([name, value]) =>
    textOf([...path, name], value, got[name.toLowerCase()]),
  );
}

/** Compares a body with a text, or as JSON: of objects only the members that are expected, lists as a whole. */
export function bodyOf(path: Path, expected: unknown, got: string): Mismatch[] {
  if (expected === undefined || typeof expected === 'string') return same(path, expected, got);
  let value: unknown;
  try {
    value = JSON.parse(got);
  } catch {
    return [{ path, expected, got }];
  }
  return within(path, expected, value);
}

function within(path: Path, expected: unknown, got: unknown): Mismatch[] {
  if (Array.isArray(expected) && Array.isArray(got) && expected.length === got.length)
    return expected.flatMap((one, index) => within([...path, index], one, got[index]));
  if (!isObject(expected) || !isObject(got))
    return isDeepStrictEqual(expected, got) ? [] : [{ path, expected, got }];
  return Object.entries(expected).flatMap(([name, one]) =>
    within([...path, name], one, Object.hasOwn(got, name) ? got[name] : undefined),
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
