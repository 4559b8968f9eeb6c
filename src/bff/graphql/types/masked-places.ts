import type { z } from 'zod';
import type { RunnableView } from '../../view-run.ts';
import { defOf } from './peeled-schema.ts';

/** The paths in a schema at which a mask stands: `.items[].owner`; the empty text for the schema itself. */
export function maskedPlaces(schema: z.ZodType): readonly string[] {
  const found: string[] = [];
  visit(schema, '', { found, seen: new Set() });
  return found;
}

/**
 * The same for a view: of the schemas given for its sections, and of what its calls decode with, views within it included.
 *
 * @param sections schemas by the name of their section.
 */
export function maskedSections(
  view: RunnableView,
  sections: Readonly<Record<string, z.ZodType | undefined>> = {},
): readonly string[] {
  return view.sections.flatMap(({ name, source, element, nested }) => {
    const schemas = [sections[name], source?.answer, element?.answer].filter((one) => one !== undefined);
    const own = schemas.flatMap((schema) =>
      maskedPlaces(schema).map((path) => `${view.name}.${name}${path}`),
    );
    return [...new Set([...own, ...(nested === undefined ? [] : maskedSections(nested))])];
  });
}

interface Search {
  readonly found: string[];
  readonly seen: Set<z.ZodType>;
}

function visit(schema: z.ZodType, path: string, search: Search): void {
  if (schema.meta()?.mask !== undefined && !search.found.includes(path)) search.found.push(path);
  if (search.seen.has(schema)) return;
  search.seen.add(schema);
  for (const [step, inner] of partsOf(schema)) visit(inner, path + step, search);
}

/** Whatever a schema is made of, in any place, so that no mask is overlooked. */
function partsOf(schema: z.ZodType): readonly (readonly [step: string, schema: z.ZodType])[] {
  const def = defOf<{
    shape?: Readonly<Record<string, z.ZodType>>;
    element?: z.ZodType;
    valueType?: z.ZodType;
    keyType?: z.ZodType;
    items?: readonly z.ZodType[];
    rest?: z.ZodType | null;
    catchall?: z.ZodType;
    left?: z.ZodType;
    right?: z.ZodType;
  }>(schema);
  const same = [def.innerType, def.getter?.(), def.in, def.out, def.left, def.right, ...(def.options ?? [])];
  const each = [def.element, def.valueType, def.keyType, def.rest ?? undefined, ...(def.items ?? [])];
  return [
    ...Object.entries(def.shape ?? {}).map(([name, one]) => [`.${name}`, one] as const),
    ...same.flatMap((one) => (one === undefined ? [] : [['', one] as const])),
    ...each.flatMap((one) => (one === undefined ? [] : [['[]', one] as const])),
    ...(def.catchall === undefined ? [] : [['.*', def.catchall] as const]),
  ];
}
