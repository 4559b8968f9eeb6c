import { PlainFault } from '../../telemetry/error-facts.ts';

/** Each element of a list, as a step of a path. */
export const EACH = Symbol('[]');

/** One step of a path: the name of a field, or each element of a list. */
export type Step = string | typeof EACH;

/** More steps than anybody means; each is a call on the stack. */
const MAX_STEPS = 32;
/** What stands for the whole body where a path is expected. */
const WHOLE = '.';
const PART = /(?:\\[\\.[\]]|[^\\.[\]])+|\[\]|[\s\S]/gu;
const ESCAPED = /\\([\\.[\]])/gu;

/** A path that cannot be read, or makes no sense where it stands. */
export class BodyPathError extends PlainFault {
  /** Where it stands, below what was compiled. */
  readonly key: readonly (string | number)[];

  constructor(message: string, key: readonly (string | number)[] = []) {
    super(message);
    this.key = key;
  }
}

/**
 * Reads a path into a JSON value: names between dots, `[]` for each element of a list, and a backslash before a dot, a
 * bracket or a backslash that belongs to a name: `a.b[].c`, `[].id`, `user\.name`. `.` alone is the whole value.
 *
 * @throws {BodyPathError} for what is no path.
 */
export function parseBodyPath(text: string, key: readonly (string | number)[] = []): readonly Step[] {
  if (text === WHOLE) return [];
  const steps: Step[] = [];
  let needsName = true;
  for (const [part] of text.matchAll(PART)) {
    if (part === '.' && !needsName) needsName = true;
    else if (part === '[]' && (!needsName || steps.length === 0)) {
      steps.push(EACH);
      needsName = false;
    } else if (needsName && part !== '.' && !/^[[\]\\]/.test(part.replace(ESCAPED, 'x'))) {
      steps.push(part.replace(ESCAPED, '$1'));
      needsName = false;
    } else throw malformed(text, key);
  }
  if (needsName) throw malformed(text, key);
  if (steps.length > MAX_STEPS) throw new BodyPathError(`expected at most ${MAX_STEPS} steps`, key);
  return steps;
}

/** A path to a field. @throws {BodyPathError} for the whole value, and for each element of a list. */
export function parseFieldPath(text: string, key: readonly (string | number)[] = []): readonly Step[] {
  const steps = parseBodyPath(text, key);
  if (typeof steps.at(-1) !== 'string')
    throw new BodyPathError(`expected a path to a field, such as items[].id, got "${text}"`, key);
  return steps;
}

function malformed(text: string, key: readonly (string | number)[]): BodyPathError {
  return new BodyPathError(
    `expected names between dots and [] for each element, such as a.b[].c, got "${text}"; a dot within a name is \\.`,
    key,
  );
}
