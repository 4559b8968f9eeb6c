import type { DescField, DescMessage } from '@bufbuild/protobuf';

type Json = Readonly<Record<string, unknown>>;

const DEEPEST = 6;
const MOST_VALUES = 5000;
const ITEMS = 2;

/** What stands for messages that have a form of their own in JSON, the same each time. */
const WELL_KNOWN: Readonly<Record<string, unknown>> = {
  'google.protobuf.Timestamp': '2026-01-02T03:04:05Z',
  'google.protobuf.Duration': '3600s',
  'google.protobuf.FieldMask': '',
  'google.protobuf.Struct': {},
  'google.protobuf.Value': 'text',
  'google.protobuf.ListValue': [],
  'google.protobuf.Empty': {},
  'google.protobuf.Any': {},
  'google.protobuf.BoolValue': true,
  'google.protobuf.StringValue': 'text',
  'google.protobuf.BytesValue': 'Z2F0ZWhvdXNl',
  'google.protobuf.DoubleValue': 1.5,
  'google.protobuf.FloatValue': 1.5,
  'google.protobuf.Int32Value': 1,
  'google.protobuf.Int64Value': '1',
  'google.protobuf.UInt32Value': 1,
  'google.protobuf.UInt64Value': '1',
};

/** google.protobuf.NullValue has one value, which is null in JSON. */
const NULL = 'google.protobuf.NullValue';

/**
 * A message as its JSON, the same each time: by the types of its fields. Fields of texts and numbers that the request has, too, are as
 * they are there, so that an answer is about what was asked for. What goes on for ever ends.
 *
 * @param asked the request, as its JSON.
 */
export function messageValue(message: DescMessage, asked: Json): unknown {
  return valueOf(message, { asked, above: [message], budget: { left: MOST_VALUES } });
}

interface Making {
  readonly asked: Json;
  /** The messages that it is a part of, itself included. */
  readonly above: readonly DescMessage[];
  readonly budget: { left: number };
}

function valueOf(message: DescMessage, making: Making): unknown {
  if (Object.hasOwn(WELL_KNOWN, message.typeName)) return WELL_KNOWN[message.typeName];
  const { above, budget } = making;
  const fields = message.fields.filter((field) => {
    // Of several of which one may be there, the first.
    if (field.oneof !== undefined && field.oneof.fields[0] !== field) return false;
    budget.left -= 1;
    const nested = nestedOf(field);
    return nested === undefined || (budget.left > 0 && above.length < DEEPEST && !above.includes(nested));
  });
  return Object.fromEntries(fields.map((field) => [field.jsonName, fieldValue(field, making)]));
}

function nestedOf(field: DescField): DescMessage | undefined {
  return field.fieldKind === 'scalar' || field.fieldKind === 'enum' ? undefined : field.message;
}

function fieldValue(field: DescField, making: Making): unknown {
  const one = (): unknown => itemValue(field, making);
  if (field.fieldKind === 'list') return Array.from({ length: making.above.length > 1 ? 1 : ITEMS }, one);
  if (field.fieldKind === 'map') return { [keyOf(field.mapKey)]: one() };
  // Deeper down it is about something else.
  const given = making.above.length > 2 ? undefined : making.asked[field.jsonName];
  const isTold = field.fieldKind === 'scalar' && given !== undefined && typeof given !== 'object';
  return isTold && typeof given === typeof one() ? given : one();
}

function itemValue(field: DescField, making: Making): unknown {
  const { message, enum: choices, scalar } = field;
  if (message !== undefined) return valueOf(message, { ...making, above: [...making.above, message] });
  if (choices === undefined) return scalarValue(scalar as number, field.name);
  if (choices.typeName === NULL) return null;
  // The first one says that nothing was said.
  return (choices.values[1] ?? choices.values[0])?.name;
}

/** Numbers of `ScalarType`: those of 64 bits are texts in JSON. */
const [DOUBLE, FLOAT, INT64, UINT64, FIXED64, BOOL, STRING, BYTES, SFIXED64, SINT64] = [
  1, 2, 3, 4, 6, 8, 9, 12, 16, 18,
];
// prettier-ignore
const LONG: ReadonlySet<number | undefined> = new Set([INT64, UINT64, FIXED64, SFIXED64, SINT64]);

function scalarValue(type: number, name: string): unknown {
  if (type === STRING) return name;
  if (type === BOOL) return true;
  if (type === BYTES) return 'Z2F0ZWhvdXNl';
  if (type === DOUBLE || type === FLOAT) return 1.5;
  return LONG.has(type) ? '1' : 1;
}

function keyOf(type: number): string {
  if (type === STRING) return 'key';
  return type === BOOL ? 'true' : '1';
}
