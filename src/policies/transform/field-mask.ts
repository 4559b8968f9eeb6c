/** Returns a JSON value without the masked fields; the value itself is left as it is. */
export type FieldMask = (value: unknown) => unknown;

interface Branch {
  /** Masked below every object that is reached through this branch. */
  readonly leaves: Set<string>;
  readonly children: Map<string, Branch>;
}

/**
 * Compiles `maskFields`: a plain name is removed at every depth, a dotted path only there. Arrays are walked
 * through, so `items.internal` masks `internal` in each item.
 */
export function compileFieldMask(fields: readonly string[]): FieldMask {
  const everywhere = new Set(fields.filter((field) => !field.includes('.')));
  const root: Branch = { leaves: new Set(), children: new Map() };
  for (const field of fields) if (field.includes('.')) addPath(root, field.split('.'));
  return (value) => mask(value, root, everywhere);
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
