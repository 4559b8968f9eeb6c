import type { z } from 'zod';
import type { MaskOptions } from '../fields/mask.decorator.ts';

/** What a schema can say beyond its shape, with `.meta({ … })`. */
export interface FieldMeta {
  /** Who sees the value of the field, and what the others see, on every face of a view. */
  readonly mask?: MaskOptions;
  /** The scalar of GraphQL that shows it; `false` for no field of GraphQL. */
  readonly graphql?: 'ID' | 'String' | 'Int' | 'Float' | false;
}

declare module 'zod' {
  interface GlobalMeta {
    mask?: FieldMeta['mask'];
    graphql?: FieldMeta['graphql'];
  }
}

/** The keys of {@link FieldMeta}; nothing of them is told to clients. */
export const FIELD_META = ['mask', 'graphql'] as const;

/** A schema without what is wrapped around it. */
export interface PeeledSchema extends FieldMeta {
  /** What the value is, when there is one. */
  readonly core: z.ZodType;
  readonly isNullable: boolean;
  /** `.meta({ id })` */
  readonly name: string | undefined;
  readonly description: string | undefined;
}

/** The part of the definition of a schema of zod that wrappers have. */
interface Def {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly out?: z.ZodType;
  readonly getter?: () => z.ZodType;
  readonly options?: readonly z.ZodType[];
}

/** The definition of a schema. */
export function defOf<Shape extends object = object>(schema: z.ZodType): Def & Shape {
  return schema.def as unknown as Def & Shape;
}

const FILLING = new Set(['default', 'prefault', 'catch', 'nonoptional']);
const NOTHING = new Set(['null', 'undefined', 'void']);

/** Takes the wrappers off a schema, as its output goes; what is said furthest outside counts. */
export function peel(schema: z.ZodType): PeeledSchema {
  let core = schema;
  let said: Partial<PeeledSchema> & { isNullable: boolean } = { isNullable: false };
  let isFilled = false;
  for (;;) {
    said = merged(said, core);
    const def = defOf(core);
    isFilled ||= FILLING.has(def.type);
    if (def.type === 'nullable' || (def.type === 'optional' && !isFilled)) said.isNullable = true;
    if (def.type === 'pipe' && def.in !== undefined) said = merged(said, def.in);
    const inner = innerOf(def);
    if (inner === undefined) break;
    if (def.type === 'union') said.isNullable = true;
    core = inner;
  }
  return { name: undefined, description: undefined, ...said, core };
}

function innerOf(def: Def): z.ZodType | undefined {
  if (def.type === 'lazy') return def.getter?.();
  if (def.type === 'pipe') return def.out;
  if (def.type !== 'union') return def.innerType;
  const rest = (def.options ?? []).filter((one) => !NOTHING.has(defOf(one).type));
  return rest.length === 1 && rest.length < (def.options?.length ?? 0) ? rest[0] : undefined;
}

function merged<Said extends Partial<PeeledSchema>>(said: Said, schema: z.ZodType): Said {
  const { id, description, mask, graphql } = schema.meta() ?? {};
  return {
    ...said,
    name: said.name ?? id,
    description: said.description ?? description,
    mask: said.mask ?? mask,
    graphql: said.graphql ?? graphql,
  };
}
