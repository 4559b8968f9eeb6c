import { EACH, type Step } from './body-path.ts';

/** What stands for a field that is not there. */
export const ABSENT = Symbol('absent');

/** Makes another value of one that is there, or is {@link ABSENT}; the same one changes nothing. */
export type Change = (value: unknown) => unknown;

type Fields = Readonly<Record<string, unknown>>;

/** Whether a value is an object of JSON; neither a list nor a number that is carried as its text. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);
}

/** The value of a field; what JavaScript adds to an object is none. */
export function fieldOf(fields: Fields, name: string): unknown {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return value === undefined ? ABSENT : value;
}

/** An object with another value of one field, which keeps its place; the last one if it is new. */
export function withField(fields: Fields, name: string, value: unknown): Fields {
  if (value !== ABSENT) {
    const copy = { ...fields };
    // A plain assignment to `__proto__` would change the prototype instead of adding the field.
    Object.defineProperty(copy, name, { value, enumerable: true, configurable: true, writable: true });
    return copy;
  }
  return Object.fromEntries(Object.entries(fields).filter(([one]) => one !== name));
}

/**
 * Changes what a path leads to and returns the whole anew; what lies beside the path is shared with what was given, which
 * stays as it is. Where the path does not lead on, nothing changes.
 *
 * @param creates whether objects that are missing on the way are made.
 */
export function changeAt(value: unknown, steps: readonly Step[], change: Change, creates = false): unknown {
  return changeFrom(value, 0, { steps, change, creates });
}

interface Way {
  readonly steps: readonly Step[];
  readonly change: Change;
  readonly creates: boolean;
}

function changeFrom(value: unknown, at: number, way: Way): unknown {
  const step = way.steps[at];
  if (step === undefined) return way.change(value);
  if (step === EACH) return Array.isArray(value) ? changeEach(value as readonly unknown[], at, way) : value;
  if (value === ABSENT && way.creates) {
    const made = changeFrom(ABSENT, at + 1, way);
    return made === ABSENT ? ABSENT : withField({}, step, made);
  }
  if (!isFields(value)) return value;
  const field = fieldOf(value, step);
  const changed = changeFrom(field, at + 1, way);
  return changed === field ? value : withField(value, step, changed);
}

function changeEach(list: readonly unknown[], at: number, way: Way): unknown {
  let isChanged = false;
  const made: unknown[] = [];
  for (const item of list) {
    const changed = changeFrom(item, at + 1, way);
    if (changed !== item) isChanged = true;
    if (changed !== ABSENT) made.push(changed);
  }
  return isChanged ? made : list;
}
