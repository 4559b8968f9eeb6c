import { z } from 'zod';

type JsonSchema = z.core.JSONSchema.BaseSchema;

const VARIABLE: JsonSchema = { type: 'string', pattern: '\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\\}' };
const VARIABLE_REF = { $ref: '#/$defs/variable' };

/**
 * Makes the JSON Schema (draft 2020-12) with which editors check and complete a configuration file: what the
 * schema takes, before it transforms anything. What has no JSON Schema accepts everything, and every scalar may be
 * a reference to a variable instead.
 *
 * @param about with `sharing`, what stands in many places, such as the policies of a route, is written once.
 */
export function toEditorSchema(
  schema: z.ZodType,
  about: { title?: string; sharing?: boolean } = {},
): JsonSchema {
  const plain = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: 'input',
    reused: about.sharing === true ? 'ref' : 'inline',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if ('default' in jsonSchema && !takesItsDefault(zodSchema)) delete jsonSchema.default;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  const { $schema, ...root } = plain as JsonSchema;
  const { $defs, ...body } = allowVariables(root) as JsonSchema;
  return {
    ...($schema === undefined ? {} : { $schema }),
    ...(about.title === undefined ? {} : { title: about.title }),
    ...body,
    $defs: { ...$defs, variable: VARIABLE },
  };
}

/** A default is of the output type; after a transform (a duration in milliseconds) an editor must not offer it. */
function takesItsDefault(schema: z.core.$ZodTypes): boolean {
  const { def } = schema._zod;
  if (def.type !== 'default') return true;
  return z.safeParse(def.innerType, def.defaultValue).success;
}

/** Lets a variable stand wherever a scalar is more than free text. */
function allowVariables(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(allowVariables);
  if (typeof node !== 'object' || node === null) return node;
  const schema = node as JsonSchema;
  if (isStrictScalar(schema)) {
    const { description, default: fallback, ...rest } = schema;
    return {
      ...(description === undefined ? {} : { description }),
      ...(fallback === undefined ? {} : { default: fallback }),
      anyOf: [rest, VARIABLE_REF],
    };
  }
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, allowInside(key, value)]));
}

/** Keywords that hold maps of schemas, keywords that hold schemas; the rest are data and stay as they are. */
function allowInside(keyword: string, value: unknown): unknown {
  if (['properties', 'patternProperties', '$defs'].includes(keyword)) {
    const entries = Object.entries(value as Record<string, unknown>);
    return Object.fromEntries(entries.map(([name, schema]) => [name, allowVariables(schema)]));
  }
  const holdsSchemas = ['items', 'prefixItems', 'additionalProperties', 'anyOf', 'oneOf', 'allOf'].includes(
    keyword,
  );
  return holdsSchemas ? allowVariables(value) : value;
}

/** A constant stays one: it is what tells alternatives apart. */
function isStrictScalar(schema: JsonSchema): boolean {
  if ('const' in schema) return false;
  if (['number', 'integer', 'boolean'].includes(String(schema.type))) return true;
  const limited = ['enum', 'pattern', 'format', 'maxLength'].some((keyword) => keyword in schema);
  return schema.type === 'string' && limited;
}
