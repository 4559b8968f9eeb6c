import { EACH, parseFieldPath } from './body-path.ts';

/** Returns a JSON value without the masked fields; the value itself is left as it is. */
export type FieldMask = (value: unknown) => unknown;

interface Branch {
  /** Masked below every object that is reached through this branch. */
  readonly leaves: Set<string>;
  readonly children: Map<string, Branch>;
}

const NOTHING: ReadonlySet<string> = new Set();

/**
 * Compiles `maskFields`: a plain name is removed at every depth, a path only there. Lists are looked through with and
 * without `[]`, so that `items.internal` masks `internal` in each item: fails closed, for a service that makes a list of
 * what was one thing would show it otherwise.
 *
 * @throws {BodyPathError} for what is no path to a field.
 */
export function compileFieldMask(fields: readonly string[]): FieldMask {
  const everywhere = new Set<string>();
  const root: Branch = { leaves: new Set(), children: new Map() };
  for (const field of fields) {
    const steps = parseFieldPath(field);
    const names = steps.filter((step) => step !== EACH);
    if (steps.length === 1) everywhere.add(names[0] ?? '');
    else addPath(root, names);
  }
  return (value) => mask(value, root, everywhere);
}

/** A value as its JSON would be read again, for what is no JSON yet, such as a date or what says itself how it is written. */
export function plainValue(value: unknown): unknown {
  return mask(value, undefined, NOTHING);
}

function addPath(root: Branch, path: readonly string[]): void {
  let branch = root;
  for (const name of path.slice(0, -1)) {
    let next = branch.children.get(name);
    if (next === undefined) branch.children.set(name, (next = { leaves: new Set(), children: new Map() }));
    branch = next;
  }
  branch.leaves.add(path.at(-1) ?? '');
}

function mask(value: unknown, branch: Branch | undefined, everywhere: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => mask(item, branch, everywhere));
  if (value === null || typeof value !== 'object' || JSON.isRawJSON(value)) return value;
  if ('toJSON' in value && typeof value.toJSON === 'function')
    return mask(value.toJSON(), branch, everywhere);
  const kept: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(value)) {
    if (everywhere.has(name) || branch?.leaves.has(name)) continue;
    // A plain assignment to `__proto__` would change the prototype instead of adding the field.
    Object.defineProperty(kept, name, {
      value: mask(inner, branch?.children.get(name), everywhere),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return kept;
}
