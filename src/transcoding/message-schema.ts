import { ScalarType, type DescEnum, type DescField, type DescMessage } from '@bufbuild/protobuf';
import type { ComponentStore } from '../contracts/components.ts';
import type { JsonSchema } from '../contracts/openapi.ts';

const INTEGER: JsonSchema = { type: 'integer', format: 'int32' };
/** An int64 does not fit a JSON number safely, so that the canonical mapping writes it as text. */
const LONG: JsonSchema = { type: 'string', format: 'int64', pattern: '^-?[0-9]+$' };
const REAL: JsonSchema = {
  anyOf: [{ type: 'number' }, { type: 'string', enum: ['NaN', 'Infinity', '-Infinity'] }],
};
const TEXT: JsonSchema = { type: 'string' };
const BYTES: JsonSchema = { type: 'string', contentEncoding: 'base64' };

const SCALARS: Readonly<Record<ScalarType, JsonSchema>> = {
  [ScalarType.DOUBLE]: REAL,
  [ScalarType.FLOAT]: REAL,
  [ScalarType.INT64]: LONG,
  [ScalarType.UINT64]: LONG,
  [ScalarType.INT32]: INTEGER,
  [ScalarType.FIXED64]: LONG,
  [ScalarType.FIXED32]: { type: 'integer', minimum: 0 },
  [ScalarType.BOOL]: { type: 'boolean' },
  [ScalarType.STRING]: TEXT,
  [ScalarType.BYTES]: BYTES,
  [ScalarType.UINT32]: { type: 'integer', minimum: 0 },
  [ScalarType.SFIXED32]: INTEGER,
  [ScalarType.SFIXED64]: LONG,
  [ScalarType.SINT32]: INTEGER,
  [ScalarType.SINT64]: LONG,
};

const ANY_VALUE: JsonSchema = { description: 'Any JSON value.' };

/** The types whose JSON is not an object of their fields (https://protobuf.dev/programming-guides/json/). */
const WELL_KNOWN: Readonly<Record<string, JsonSchema>> = {
  'google.protobuf.Any': {
    type: 'object',
    properties: { '@type': { type: 'string' } },
    required: ['@type'],
    additionalProperties: true,
  },
  'google.protobuf.Timestamp': { type: 'string', format: 'date-time' },
  'google.protobuf.Duration': { type: 'string', pattern: '^-?[0-9]+(\\.[0-9]{1,9})?s$' },
  'google.protobuf.FieldMask': { type: 'string', description: 'Field paths with commas between them.' },
  'google.protobuf.Struct': { type: 'object', additionalProperties: true },
  'google.protobuf.Value': ANY_VALUE,
  'google.protobuf.ListValue': { type: 'array', items: ANY_VALUE },
  'google.protobuf.Empty': { type: 'object' },
  'google.protobuf.DoubleValue': nullable(REAL),
  'google.protobuf.FloatValue': nullable(REAL),
  'google.protobuf.Int64Value': nullable(LONG),
  'google.protobuf.UInt64Value': nullable(LONG),
  'google.protobuf.Int32Value': nullable(INTEGER),
  'google.protobuf.UInt32Value': nullable({ type: 'integer', minimum: 0 }),
  'google.protobuf.BoolValue': nullable({ type: 'boolean' }),
  'google.protobuf.StringValue': nullable(TEXT),
  'google.protobuf.BytesValue': nullable(BYTES),
};

/** Describes a message in canonical proto3 JSON; every message becomes a component, so that it may hold itself. */
export function messageSchema(message: DescMessage, components: ComponentStore): JsonSchema {
  const known = WELL_KNOWN[message.typeName];
  if (known !== undefined) return known;
  return components.recursive(message.typeName, () => ({
    type: 'object',
    properties: Object.fromEntries(
      message.fields.map((field) => [field.jsonName, fieldSchema(field, components)]),
    ),
  }));
}

/** Describes one field. */
export function fieldSchema(field: DescField, components: ComponentStore): JsonSchema {
  switch (field.fieldKind) {
    case 'scalar':
      return SCALARS[field.scalar];
    case 'enum':
      return enumSchema(field.enum);
    case 'message':
      return messageSchema(field.message, components);
    case 'list':
      return { type: 'array', items: itemSchema(field, components) };
    case 'map':
      return { type: 'object', additionalProperties: itemSchema(field, components) };
  }
}

type Repeated = Extract<DescField, { fieldKind: 'list' | 'map' }>;

function itemSchema(field: Repeated, components: ComponentStore): JsonSchema {
  const { scalar, enum: values, message } = field;
  if (message !== undefined) return messageSchema(message, components);
  if (values !== undefined) return enumSchema(values);
  return scalar === undefined ? {} : SCALARS[scalar];
}

function enumSchema({ typeName, values }: DescEnum): JsonSchema {
  if (typeName === 'google.protobuf.NullValue') return { type: 'null' };
  return { type: 'string', enum: values.map(({ name }) => name) };
}

function nullable(schema: JsonSchema): JsonSchema {
  return { anyOf: [schema, { type: 'null' }] };
}
