import { ABSENT, fieldOf, isFields, type Change } from './body-edit.ts';
import { EACH, type Step } from './body-path.ts';

interface Branch {
  /** What is kept below a name or each element; undefined: all of it. */
  readonly below: Map<Step, Branch | undefined>;
}

/**
 * Compiles `keep`: what no path leads to is left out, also where a value is of another kind than the paths say. Fails
 * closed: a list that a service answers with all of a sudden has nothing that was listed.
 */
export function compileKept(paths: readonly (readonly Step[])[]): Change {
  const root: Branch = { below: new Map() };
  for (const path of paths) grow(root, path);
  return (value) => {
    const kept = keep(value, root);
    if (kept !== ABSENT) return kept;
    return Array.isArray(value) ? [] : isFields(value) ? {} : null;
  };
}

function grow(root: Branch, path: readonly Step[]): void {
  let branch = root;
  for (const [at, step] of path.entries()) {
    const isLast = at === path.length - 1;
    const known = branch.below.get(step);
    // All of something is more than a part of it.
    if (branch.below.has(step) && known === undefined) return;
    if (isLast) return void branch.below.set(step, undefined);
    const next = known ?? { below: new Map() };
    branch.below.set(step, next);
    branch = next;
  }
}

function keep(value: unknown, branch: Branch): unknown {
  if (Array.isArray(value)) {
    if (!branch.below.has(EACH)) return ABSENT;
    const each = branch.below.get(EACH);
    if (each === undefined) return value;
    return value.map((item) => keep(item, each)).filter((item) => item !== ABSENT);
  }
  if (!isFields(value)) return ABSENT;
  const names = [...branch.below].filter(([step]) => step !== EACH) as [string, Branch | undefined][];
  if (names.length === 0) return ABSENT;
  const kept = names.map(([name, below]) => {
    const field = fieldOf(value, name);
    return [name, below === undefined || field === ABSENT ? field : keep(field, below)] as const;
  });
  // Unlike an assignment, this keeps a field called `__proto__` a field.
  return Object.fromEntries(kept.filter(([, part]) => part !== ABSENT));
}
