import { schemaText } from './schema-text.ts';

/** A schema as a document has it. */
export type Schema = Readonly<Record<string, unknown>>;

/** Where schemas are looked up, and what is known of the values. */
export interface SchemaContext {
  /** What a schema stands for that may be a reference. */
  readonly resolve: (schema: unknown) => Schema | undefined;
  /** Values that are known by their names, such as the parameters of a path. */
  readonly known?: ReadonlyMap<string, string>;
}

const DEEPEST = 6;
const ITEMS = 2;
const MOST_ITEMS = 20;
const MOST_PROPERTIES = 200;

/**
 * A value of a JSON Schema, the same each time: its example, default, constant or first choice where it says one, else by
 * type and format, within its bounds. What goes on for ever ends: properties that need not be there are left out then.
 */
export function schemaValue(given: unknown, context: SchemaContext, name = '', depth = 0): unknown {
  const schema = context.resolve(given);
  if (schema === undefined) return null;
  const said = saidValue(schema);
  if (said !== undefined) return said;
  const whole = merged(schema, context);
  const again = whole === schema ? undefined : saidValue(whole);
  if (again !== undefined) return again;
  switch (typeOf(whole)) {
    case 'object':
      return objectOf(whole, context, depth);
    case 'array':
      return listOf(whole, context, name, depth);
    case 'string':
      return context.known?.get(name) ?? schemaText(whole, name);
    case 'integer':
    case 'number':
      return numberOf(whole, context.known?.get(name));
    case 'boolean':
      return true;
    default:
      return null;
  }
} // prettier-ignore

function saidValue({ example, examples, default: usual, const: only, enum: choices }: Schema): unknown {
  const [first] = Array.isArray(examples) ? (examples as unknown[]) : [];
  const [choice] = Array.isArray(choices) ? (choices as unknown[]) : [];
  return example ?? first ?? only ?? usual ?? choice;
}

function typeOf({ type, properties, additionalProperties, items, format }: Schema): string {
  const first = Array.isArray(type) ? type.find((one) => one !== 'null') : type;
  if (typeof first === 'string') return first;
  if (properties !== undefined || typeof additionalProperties === 'object') return 'object';
  if (items !== undefined) return 'array';
  return format === undefined ? 'null' : 'string';
}

// All of several, and the first of those of which one is enough.
function merged(schema: Schema, context: SchemaContext, depth = 0): Schema {
  const { allOf, oneOf, anyOf } = schema;
  const listed = (list: unknown): readonly unknown[] => (Array.isArray(list) ? list : []);
  const parts = [...listed(allOf), ...listed(oneOf).slice(0, 1), ...listed(anyOf).slice(0, 1)];
  if (parts.length === 0 || depth > DEEPEST) return schema;
  const read = parts.flatMap((part) => {
    const resolved = context.resolve(part);
    return resolved === undefined ? [] : [merged(resolved, context, depth + 1)];
  });
  return [...read, schema].reduce((all, part) => ({
    ...all,
    ...part,
    properties: { ...(all['properties'] as object), ...(part['properties'] as object) },
    required: [...listed(all['required']), ...listed(part['required'])],
  }));
}

function objectOf(schema: Schema, context: SchemaContext, depth: number): object {
  const required = new Set(Array.isArray(schema['required']) ? (schema['required'] as unknown[]) : []);
  const properties = Object.entries((schema['properties'] ?? {}) as Schema).slice(0, MOST_PROPERTIES);
  const meant = properties.filter(([name, one]) => {
    if ((one as Schema | null)?.['writeOnly'] === true) return false;
    return depth < DEEPEST ? true : required.has(name) && depth < 2 * DEEPEST;
  });
  const values = meant.map(([name, one]) => [name, schemaValue(one, context, name, depth + 1)] as const);
  const more = schema['additionalProperties'];
  if (values.length > 0 || typeof more !== 'object' || depth >= DEEPEST) return Object.fromEntries(values);
  return { key: schemaValue(more, context, 'key', depth + 1) };
}

function listOf(schema: Schema, context: SchemaContext, name: string, depth: number): unknown[] {
  const { minItems, maxItems, items } = schema;
  if (depth >= DEEPEST) return [];
  const least = typeof minItems === 'number' ? Math.min(minItems, MOST_ITEMS) : 0;
  const most = typeof maxItems === 'number' ? maxItems : Infinity;
  const count = Math.min(Math.max(ITEMS, least), most);
  return Array.from({ length: count }, () => schemaValue(items ?? {}, context, name, depth + 1));
} // prettier-ignore

function numberOf(schema: Schema, known: string | undefined): number {
  if (known !== undefined && known !== '' && Number.isFinite(Number(known))) return Number(known);
  const of = (key: string): number | undefined =>
    typeof schema[key] === 'number' ? (schema[key] as number) : undefined;
  const step = of('multipleOf') ?? 1;
  const [above, below] = [of('exclusiveMinimum'), of('exclusiveMaximum')];
  const [least, most] = [of('minimum'), of('maximum')];
  if (least !== undefined || above !== undefined) {
    const from = Math.max(least ?? -Infinity, above ?? -Infinity);
    const next = Math.ceil(from / step) * step;
    const passes = next === above || (schema['exclusiveMinimum'] === true && next === least);
    return passes ? next + step : next;
  }
  const until = Math.min(most ?? Infinity, below ?? Infinity);
  const first = Math.min(step, Math.floor(until / step) * step);
  return first === below ? first - step : first;
}
