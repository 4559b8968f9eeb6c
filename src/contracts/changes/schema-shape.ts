import type { JsonSchema, OpenApiDocument } from '../openapi.ts';
import { SECTIONS } from '../view-contract.ts';

const REFERENCE = /^#\/components\/schemas\/(.+)$/;

/** A schema without references and `allOf` at its top. */
export function flattened(schema: JsonSchema, document: OpenApiDocument): JsonSchema {
  const { $ref, allOf, ...own } = schema;
  const name = REFERENCE.exec($ref ?? '')?.[1];
  const parts = [...(allOf ?? []), ...(name === undefined ? [] : [document.components.schemas[name] ?? {}])];
  if (parts.length === 0) return schema;
  return parts.map((one) => flattened(one, document)).reduce(merged, own);
}

function merged(a: JsonSchema, b: JsonSchema): JsonSchema {
  const required = [...new Set([...(a.required ?? []), ...(b.required ?? [])])];
  const properties = { ...a.properties, ...b.properties };
  for (const name of Object.keys(a.properties ?? {})) {
    const other = b.properties?.[name];
    if (other !== undefined) properties[name] = { allOf: [a.properties?.[name] ?? {}, other] };
  }
  return {
    ...a,
    ...b,
    ...bothEnums(a, b),
    ...(required.length === 0 ? {} : { required }),
    ...(Object.keys(properties).length === 0 ? {} : { properties }),
  };
}

function bothEnums({ enum: a }: JsonSchema, { enum: b }: JsonSchema): Pick<JsonSchema, 'enum'> {
  const all = a === undefined || b === undefined ? (a ?? b) : a.filter((one) => b.includes(one));
  return all === undefined ? {} : { enum: all };
}

/** The alternatives of a schema; itself when it has none. */
export function alternatives(schema: JsonSchema): readonly JsonSchema[] {
  const several = schema.anyOf ?? schema.oneOf;
  if (several !== undefined) return several;
  if (!Array.isArray(schema.type)) return [schema];
  return (schema.type as readonly string[]).map((type) => ({ ...schema, type }));
}

/** The type of a schema without alternatives; undefined for anything. */
export function typeOf({ type, properties, items, ...schema }: JsonSchema): string | undefined {
  if (typeof type === 'string') return type;
  const values = valuesOf(schema);
  const types = new Set(values?.map((value) => (value === null ? 'null' : typeof value)));
  if (types.size === 1) return [...types][0];
  if (properties !== undefined) return 'object';
  return items === undefined ? undefined : 'array';
}

/** The values that a schema lists; undefined when it lists none. */
export function valuesOf(schema: JsonSchema): readonly unknown[] | undefined {
  return 'const' in schema ? [schema.const] : schema.enum;
}

/** The properties that are there; sections of a view are, unless somebody leaves them out. */
export function certain(schema: JsonSchema): ReadonlySet<string> {
  return new Set([...(schema.required ?? []), ...((schema[SECTIONS] ?? []) as readonly string[])]);
}
