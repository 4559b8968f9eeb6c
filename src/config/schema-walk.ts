import type { z } from 'zod';
import { valueAt, type ConfigPath } from './config-path.ts';

type Schema = z.core.$ZodType;
type Union = z.core.$ZodUnion;

/** A schema, and where in the document its value is. */
export interface SchemaScope {
  readonly schema: Schema | undefined;
  readonly path: ConfigPath;
}

/** The keys that a map may have at `path`; all of them where several alternatives are possible. */
export function validKeysAt(scope: SchemaScope, path: ConfigPath, root: unknown): string[] {
  const keys = schemasAt(scope, path, root).flatMap((schema) => structuresOf(schema, valueAt(root, path)));
  return [...new Set(keys.flatMap(keysOf))];
}

/** The alternatives of the union at `path`, when exactly as many as were tried. */
export function alternativesAt(
  scope: SchemaScope,
  path: ConfigPath,
  root: unknown,
  count: number,
): readonly Schema[] {
  const unions = schemasAt(scope, path, root).flatMap(unionsOf);
  return unions.find((union) => union._zod.def.options.length === count)?._zod.def.options ?? [];
}

function schemasAt(scope: SchemaScope, path: ConfigPath, root: unknown): Schema[] {
  let schemas = scope.schema ? [scope.schema] : [];
  for (let depth = scope.path.length; depth < path.length; depth += 1) {
    const value = valueAt(root, path.slice(0, depth));
    const structures = schemas.flatMap((schema) => structuresOf(schema, value));
    schemas = structures.flatMap((schema) => step(schema, path[depth] ?? '') ?? []);
  }
  return schemas;
}

/** Looks through wrappers and alternatives at the schemas that say what is inside a value. */
function structuresOf(schema: Schema, value: unknown): Schema[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === 'union')
    return optionsFor(schema as Union, value).flatMap((each) => structuresOf(each, value));
  if (def.type === 'intersection') return [def.left, def.right].flatMap((each) => structuresOf(each, value));
  const inner = innerOf(schema);
  return inner ? structuresOf(inner, value) : [schema];
}

function unionsOf(schema: Schema): Union[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === 'union') return [schema as Union];
  if (def.type === 'intersection') return [def.left, def.right].flatMap(unionsOf);
  const inner = innerOf(schema);
  return inner ? unionsOf(inner) : [];
}

/** The schema of the input of a wrapper; undefined for what wraps nothing. */
function innerOf(schema: Schema): Schema | undefined {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
    case 'success':
      return def.innerType;
    case 'lazy':
      return def.getter();
    case 'pipe':
      // A preprocessing step says nothing about its input; what it feeds says it best.
      return def.in._zod.def.type === 'transform' ? def.out : def.in;
    default:
      return undefined;
  }
}

function step(schema: Schema, segment: string | number): Schema | undefined {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'object':
      return Object.hasOwn(def.shape, segment) ? def.shape[segment] : def.catchall;
    case 'record':
      return def.valueType;
    case 'array':
      return def.element;
    case 'tuple':
      return def.items[Number(segment)] ?? def.rest ?? undefined;
    default:
      return undefined;
  }
}

function keysOf(schema: Schema): string[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === 'object') return Object.keys(def.shape);
  if (def.type === 'record') return [...(def.keyType._zod.values ?? [])].map(String);
  return [];
}

/** The options of a union that its discriminator admits; all when it has none or none matches. */
function optionsFor(union: Union, value: unknown): readonly Schema[] {
  const { options } = union._zod.def;
  const { discriminator } = union._zod.def as Partial<z.core.$ZodDiscriminatedUnionDef>;
  if (discriminator === undefined) return options;
  const tag = valueAt(value, [discriminator]) as z.core.util.Primitive;
  const admitted = options.filter((option) => option._zod.propValues?.[discriminator]?.has(tag));
  return admitted.length > 0 ? admitted : options;
}
