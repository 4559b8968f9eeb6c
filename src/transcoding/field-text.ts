import {
  ScalarType,
  type DescEnum,
  type DescField,
  type DescMessage,
  type JsonValue,
} from '@bufbuild/protobuf';
import { isWrapperDesc } from '@bufbuild/protobuf/wkt';

/** Makes the JSON value of a field of a text from path or query; undefined when the text cannot mean one. */
export type TextReader = (text: string) => JsonValue | undefined;

const INTEGER = /^-?\d+$/;
const DECIMAL = /^(?:-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|NaN|-?Infinity)$/;
const BOOLEANS: Readonly<Record<string, boolean>> = { true: true, false: false, 1: true, 0: false };

/** Well-known types whose JSON is a string. */
const TEXTUAL = new Set([
  'google.protobuf.Timestamp',
  'google.protobuf.Duration',
  'google.protobuf.FieldMask',
]);

/** How texts are read for a singular field, or for one item of a repeated one; undefined: they never are. */
export function textReader(field: DescField): TextReader | undefined {
  if (field.fieldKind === 'map') return undefined;
  if (field.scalar !== undefined) return scalarReader(field.scalar);
  if (field.enum !== undefined) return enumReader(field.enum);
  return field.message === undefined ? undefined : messageReader(field.message);
}

function messageReader(message: DescMessage): TextReader | undefined {
  if (isWrapperDesc(message)) return scalarReader(message.fields[0].scalar);
  // A time ahead of UTC holds a "+", which in a query stands for a space; in no such text is one.
  return TEXTUAL.has(message.typeName) ? (text) => text.replaceAll(' ', '+') : undefined;
}

function enumReader(desc: DescEnum): TextReader {
  if (desc.typeName === 'google.protobuf.NullValue') {
    return (text) => (text === 'null' || text === 'NULL_VALUE' || text === '0' ? null : undefined);
  }
  return (text) => (INTEGER.test(text) ? Number(text) : text);
}

function scalarReader(type: ScalarType): TextReader {
  switch (type) {
    case ScalarType.STRING:
      return (text) => text;
    case ScalarType.BYTES:
      // In a query "+" stands for a space; in base64 there are none.
      return (text) => text.replaceAll(' ', '+');
    case ScalarType.BOOL:
      return (text) => BOOLEANS[text];
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return (text) => decimal(text.replaceAll(' ', '+'));
    default:
      return (text) => (INTEGER.test(text) ? text : undefined);
  }
}

function decimal(text: string): string | undefined {
  return DECIMAL.test(text) ? text : undefined;
}

const SCALARS: Readonly<Record<ScalarType, string>> = {
  [ScalarType.DOUBLE]: 'a number',
  [ScalarType.FLOAT]: 'a number of 32 bits',
  [ScalarType.INT64]: 'a whole number of 64 bits',
  [ScalarType.UINT64]: 'a whole number of 64 bits, not negative',
  [ScalarType.INT32]: 'a whole number of 32 bits',
  [ScalarType.FIXED64]: 'a whole number of 64 bits, not negative',
  [ScalarType.FIXED32]: 'a whole number of 32 bits, not negative',
  [ScalarType.BOOL]: 'true or false',
  [ScalarType.STRING]: 'text',
  [ScalarType.BYTES]: 'base64',
  [ScalarType.UINT32]: 'a whole number of 32 bits, not negative',
  [ScalarType.SFIXED32]: 'a whole number of 32 bits',
  [ScalarType.SFIXED64]: 'a whole number of 64 bits',
  [ScalarType.SINT32]: 'a whole number of 32 bits',
  [ScalarType.SINT64]: 'a whole number of 64 bits',
};

const MESSAGES: Readonly<Record<string, string>> = {
  'google.protobuf.Timestamp': 'a time, such as 2026-01-31T12:00:00Z',
  'google.protobuf.Duration': 'a duration in seconds, such as 1.5s',
  'google.protobuf.FieldMask': 'names of fields, separated by commas',
  'google.protobuf.Any': 'an object with an "@type" that is known',
  'google.protobuf.ListValue': 'a list',
};

/** What a value must be: of a field, or of one item of it. Never repeats what was sent. */
export function expectationOf(field: DescField): string {
  if (field.scalar !== undefined) return `expected ${SCALARS[field.scalar]}`;
  if (field.enum !== undefined) {
    return `expected one of ${field.enum.values.map((value) => value.name).join(', ')}`;
  }
  return field.message === undefined ? 'expected another value' : messageExpectation(field.message);
}

/** What the name of an entry of a map must be. */
export function keyExpectation(type: ScalarType): string {
  return `expected ${SCALARS[type]} as the key`;
}

/** What the JSON of a message must be. */
export function messageExpectation(message: DescMessage): string {
  if (isWrapperDesc(message)) return `expected ${SCALARS[message.fields[0].scalar]}`;
  return `expected ${MESSAGES[message.typeName] ?? 'an object'}`;
}
