import { z } from 'zod';
import { FIELD_META } from '../bff/graphql/types/peeled-schema.ts';
import type { ComponentStore } from './components.ts';
import type { JsonSchema } from './openapi.ts';

/** Which side of a schema is meant: what is sent to it, or what comes out of it. */
export type Side = 'input' | 'output';

/** A schema that says what it is (https://standardschema.dev/json-schema); zod's are. */
interface SelfDescribing {
  readonly '~standard': {
    readonly jsonSchema: Record<Side, (options: { target: 'draft-2020-12' }) => Record<string, unknown>>;
  };
}

/** What takes nothing as well. */
const OPEN: ReadonlySet<string> = new Set(['any', 'unknown', 'undefined', 'void']);
const LIMITS = new Set<unknown>([Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]);

/**
 * Makes the JSON Schema of a Standard Schema; what has a name (zod: `.meta({ id })`) becomes a component.
 * What cannot be described accepts everything, because a document must not promise more than it knows.
 */
export function toJsonSchema(schema: unknown, side: Side, components: ComponentStore): JsonSchema {
  if (schema instanceof z.ZodType) {
    const owners = new Map<string, object>();
    return components.lift(ofZod(schema, side, owners), owners, side);
  }
  if (!isSelfDescribing(schema)) return {};
  return components.lift(schema['~standard'].jsonSchema[side]({ target: 'draft-2020-12' }));
}

/** Whether a value may be nothing at all, so that JSON leaves it out. What cannot be looked into may be. */
export function mayBeAbsent(schema: unknown): boolean {
  return (
    !(schema instanceof z.ZodType) || schema._zod.optout === 'optional' || OPEN.has(schema._zod.def.type)
  );
}

function ofZod(schema: z.ZodType, io: Side, owners: Map<string, object>): JsonSchema {
  return z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      // Who may see what is not for clients to read.
      for (const key of FIELD_META) delete jsonSchema[key];
      // What JSON makes of it.
      if (zodSchema._zod.def.type === 'date')
        Object.assign(jsonSchema, { type: 'string', format: 'date-time' });
      const id = z.globalRegistry.get(zodSchema)?.id;
      if (id !== undefined) owners.set(id, zodSchema);
      // An answer may grow: clients are not told that there will never be another member.
      if (io === 'output' && jsonSchema.additionalProperties === false)
        delete jsonSchema.additionalProperties;
      if (LIMITS.has(jsonSchema.maximum)) delete jsonSchema.maximum;
      if (LIMITS.has(jsonSchema.minimum)) delete jsonSchema.minimum;
      // The format says it already, and the pattern of a date fills a page.
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
    },
  }) as JsonSchema;
}

function isSelfDescribing(schema: unknown): schema is SelfDescribing {
  if ((typeof schema !== 'object' && typeof schema !== 'function') || schema === null) return false;
  const standard = (schema as Partial<SelfDescribing>)['~standard'];
  return typeof standard?.jsonSchema?.input === 'function';
}
