import { schemaText } from './schema-text.ts';

/** A schema as a document has it. */
export type Schema = Readonly<Record<string, unknown>>;

/** Where schemas are looked up, and what is known of the values. */
export interface SchemaContext {
  /** What a schema stands for that may be a reference. */
  readonly resolve: (schema: unknown) => Schema | undefined;
  /** Values that are known by their names, such as the parameters of a path. */
  readonly known?: ReadonlyMap<string, string>;
  /** How many values there may be besides. Default 5000. */
  readonly budget?: { left: number };
}

/** Where a value is. */
interface Place {
  /** The property that it is of; empty for none. */
  readonly name: string;
  /** The schemas that it is a part of. */
  readonly above: readonly Schema[];
}

const DEEPEST = 8;
const MOST_VALUES = 5000;
const ITEMS = 2;
const MOST_ITEMS = 20;

/**
 * A value of a JSON Schema, the same each time: its example, default, constant or first choice where it says one, else by
 * type and format, within its bounds. What goes on for ever ends, where it need not be there.
 */
export function schemaValue(given: unknown, context: SchemaContext, name = ''): unknown {
  return valueOf(given, { budget: { left: MOST_VALUES }, ...context }, { name, above: [] });
}

function valueOf(given: unknown, context: SchemaContext, { name, above }: Place): unknown {
  const schema = context.resolve(given);
  if (schema === undefined) return null;
  const whole = merged(schema, context);
  // What was asked for by its name goes before any example: an answer is about that.
  const asked = above.length === 1 ? context.known?.get(name) : undefined;
  const said = askedValue(typeOf(whole), asked) ?? saidValue(schema) ?? saidValue(whole);
  if (said !== undefined) return said;
  const place = { name, above: [...above, schema] };
  switch (typeOf(whole)) {
    case 'object':
      return objectOf(whole, context, place);
    case 'array':
      return listOf(whole, context, place);
    case 'string':
      return schemaText(whole, name);
    case 'integer':
    case 'number':
      return numberOf(whole);
    case 'boolean':
      return true;
    default:
      return null;
  }
}

function askedValue(type: string, asked: string | undefined): unknown {
  if (asked === undefined || type === 'string') return asked;
  return /^(?:integer|number)$/.test(type) && /^-?\d{1,15}$/.test(asked) ? Number(asked) : undefined;
}

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

function objectOf(schema: Schema, context: SchemaContext, { above }: Place): object {
  const required = new Set(Array.isArray(schema['required']) ? (schema['required'] as unknown[]) : []);
  const properties = Object.entries((schema['properties'] ?? {}) as Schema);
  const meant = properties.filter(([name, one]) => {
    if ((one as Schema | null)?.['writeOnly'] === true) return false;
    // What has to be there is there, within reason.
    return goesOn(one, context, above) || (required.has(name) && above.length < 2 * DEEPEST);
  });
  const values = meant.map(([name, one]) => [name, valueOf(one, context, { name, above })] as const);
  const more = schema['additionalProperties'];
  if (values.length > 0 || typeof more !== 'object' || !goesOn(more, context, above))
    return Object.fromEntries(values);
  return { key: valueOf(more, context, { name: 'key', above }) };
}

function listOf(schema: Schema, context: SchemaContext, { name, above }: Place): unknown[] {
  const { minItems, maxItems, items = {} } = schema;
  if (!goesOn(items, context, above)) return [];
  const least = typeof minItems === 'number' ? Math.min(minItems, MOST_ITEMS) : 0;
  const most = typeof maxItems === 'number' ? maxItems : Infinity;
  // Lists within lists grow.
  const usual = above.length > 2 ? 1 : ITEMS;
  return Array.from({ length: Math.min(Math.max(usual, least), most) }, () =>
    valueOf(items, context, { name, above }),
  );
}

function goesOn(given: unknown, { resolve, budget }: SchemaContext, above: readonly Schema[]): boolean {
  if (budget === undefined) return false;
  budget.left -= 1;
  const schema = resolve(given);
  return budget.left > 0 && above.length < DEEPEST && (schema === undefined || !above.includes(schema));
}

function numberOf(schema: Schema): number {
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
