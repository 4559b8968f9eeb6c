import type { Visible } from '../../view-guards.ts';
import type { Requirement } from './field-requirements.ts';
import type { ProtectedPart } from './protected-part.ts';

/**
 * What of a value may be seen by somebody who lacks some requirements. Values are shared with other requests: what
 * changes is copied.
 */
export function visible(value: unknown, part: ProtectedPart, lacking: ReadonlySet<Requirement>): Visible {
  const lacked = part.guards.filter((one) => lacking.has(one));
  // Whatever the value is: that there is none is for those to know who may see it.
  if (lacked.some(({ masks }) => !masks)) return { value: null, withheld: 'all' };
  if (lacked[0] !== undefined) return { value: lacked[0].mask, withheld: undefined };
  return inside(value, part, lacking);
}

function inside(value: unknown, part: ProtectedPart, lacking: ReadonlySet<Requirement>): Visible {
  if (typeof value !== 'object' || value === null || part.inner.size === 0)
    return { value, withheld: undefined };
  if (Array.isArray(value)) return elements(value, part, lacking);
  // What is seen is what JSON makes of it.
  if ('toJSON' in value && typeof value.toJSON === 'function')
    return inside((value.toJSON as () => unknown)(), part, lacking);
  let shown = value as Readonly<Record<string, unknown>>;
  let withheld: Visible['withheld'];
  for (const [name, inner] of part.inner) {
    if (!Object.hasOwn(value, name)) continue;
    const before = (value as Readonly<Record<string, unknown>>)[name];
    const after = visible(before, inner, lacking);
    if (after.withheld !== undefined) withheld = 'part';
    if (after.value !== before) shown = { ...shown, [name]: after.value };
  }
  return { value: shown, withheld };
}

function elements(
  values: readonly unknown[],
  part: ProtectedPart,
  lacking: ReadonlySet<Requirement>,
): Visible {
  const shown = values.map((value) => inside(value, part, lacking));
  const withheld = shown.some((one) => one.withheld !== undefined) ? 'part' : undefined;
  const isSame = shown.every(({ value }, index) => value === values[index]);
  return { value: isSame ? values : shown.map(({ value }) => value), withheld };
}
