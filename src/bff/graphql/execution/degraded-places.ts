import type { ExecutionResult, GraphQLError } from 'graphql';
import type { Degradation } from '../../composition/section-run.ts';
import { degradedParts } from '../../section-parts.ts';
import { pathOf, type PlacedSection } from './operation-context.ts';

type Keys = readonly (string | number)[];

const NONE: readonly object[] = Object.freeze([]);

/**
 * What an answer shows that its source did not serve, each with its path in the answer. What does not show, because
 * something above it is `null`, is left out; so is what an error of the answer tells already.
 */
export function degradedOf(
  placed: readonly PlacedSection[],
  { data, errors = [] }: ExecutionResult,
): readonly object[] {
  // The usual case costs no list.
  if (!placed.some(mayBeDegraded)) return NONE;
  return placed.flatMap(({ run, path }) => {
    const { name, pick } = run.section;
    // What is picked from a value is no longer asked for field by field, so all that is in it is told here.
    const degraded = pick !== undefined ? degradedParts([run]) : [run.degradation ?? []].flat();
    if (degraded.length === 0) return [];
    const keys = pathOf(path);
    const value = valueAt(data, keys);
    if (value === undefined) return [];
    const shown =
      value === null ? degraded.filter((one) => isNullFallback(one, name, errors, keys)) : degraded;
    return shown.map((one) => ({ ...one, path: keys }));
  });
}

function mayBeDegraded({ run }: PlacedSection): boolean {
  return run.degradation !== undefined || run.section.pick !== undefined;
}

// Nothing below something that became null shows, whatever happened to it.
function valueAt(data: unknown, keys: Keys): unknown {
  let at = data;
  for (const key of keys) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Record<string | number, unknown>)[key];
  }
  return at;
}

// A section that is null because it failed, or because of what is below it, has an error to tell so.
function isNullFallback(
  { via, section }: Degradation,
  name: string,
  errors: readonly GraphQLError[],
  keys: Keys,
): boolean {
  return via === 'fallback' && section === name && !errors.some(({ path = [] }) => isWithin(path, keys));
}

function isWithin(path: Keys, keys: Keys): boolean {
  return keys.every((key, index) => String(path[index]) === String(key));
}
