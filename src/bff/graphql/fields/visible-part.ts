import { parentOfFields } from '../../view-parents.ts';
import type { Visible } from '../../view-guards.ts';
import type { Requirement } from './field-requirements.ts';
import type { ProtectedPart } from './protected-part.ts';

/** Who looks at a value. */
export interface Viewer {
  /** The requirements that were decided before, and are not met. */
  readonly lacking: ReadonlySet<Requirement>;
  /** The first of several requirements that arguments and an object do not meet; see `firstRefused`. */
  refused(
    requirements: readonly Requirement[],
    args: Readonly<Record<string, unknown>>,
    parent: unknown,
  ): Requirement | undefined;
  /** Hears what is kept back where no mask is shown instead. */
  denied(requirement: Requirement): void;
}

/**
 * What of a value may be seen by somebody. Values are shared with other requests: what changes is copied.
 *
 * @param parent the object that it is a property of, as the resolver of the field would get it.
 */
export function visible(value: unknown, part: ProtectedPart, viewer: Viewer, parent: unknown): Visible {
  const { guards, args } = part;
  if (guards.length > 0) {
    const lacks = (masks: boolean): Requirement | undefined => {
      const own = guards.filter((one) => one.masks === masks);
      return own.find((one) => viewer.lacking.has(one)) ?? viewer.refused(own, args, parent);
    };
    // Whatever the value is: that there is none is for those to know who may see it. A mask opens nothing that is closed.
    const denying = lacks(false);
    if (denying !== undefined) return withheldBy(denying, viewer);
    const masking = lacks(true);
    if (masking !== undefined) return { value: masking.mask, withheld: undefined };
  }
  return inside(value, part, viewer);
}

function inside(value: unknown, part: ProtectedPart, viewer: Viewer, object = value): Visible {
  if (typeof value !== 'object' || value === null || (part.inner.size === 0 && part.ofObjects.length === 0))
    return { value, withheld: undefined };
  if (Array.isArray(value)) return elements(value, part, viewer);
  // What is seen is what JSON makes of it; what is judged is what a resolver would get.
  if ('toJSON' in value && typeof value.toJSON === 'function')
    return inside((value.toJSON as () => unknown)(), part, viewer, object);
  const parent = parentOfFields(object as object);
  const refusing = viewer.refused(part.ofObjects, NO_ARGUMENTS, parent);
  if (refusing !== undefined) return withheldBy(refusing, viewer);
  let shown = value as Readonly<Record<string, unknown>>;
  let withheld: Visible['withheld'];
  for (const [name, inner] of part.inner) {
    if (!Object.hasOwn(value, name)) continue;
    const before = (value as Readonly<Record<string, unknown>>)[name];
    const after = visible(before, inner, viewer, parent);
    if (after.withheld !== undefined) withheld = 'part';
    if (after.value !== before) shown = { ...shown, [name]: after.value };
  }
  return { value: shown, withheld };
}

function elements(values: readonly unknown[], part: ProtectedPart, viewer: Viewer): Visible {
  const shown = values.map((value) => inside(value, part, viewer));
  const withheld = shown.some((one) => one.withheld !== undefined) ? 'part' : undefined;
  const isSame = shown.every(({ value }, index) => value === values[index]);
  return { value: isSame ? values : shown.map(({ value }) => value), withheld };
}

function withheldBy(requirement: Requirement, viewer: Viewer): Visible {
  viewer.denied(requirement);
  return { value: null, withheld: 'all' };
}

const NO_ARGUMENTS = {};
