import {
  fromJson,
  ScalarType,
  type DescField,
  type DescMessage,
  type JsonValue,
  type Message,
  type Registry,
} from '@bufbuild/protobuf';
import type { ExactNumbers } from './exact-numbers.ts';
import type { JsonObject } from './json-place.ts';
import { JsonWalk, type Visit } from './json-walk.ts';
import { isWhole } from './map-key.ts';

type Check = Visit<ExactNumbers | undefined>;

const NUMBER = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/;
const SPECIAL = new Set(['NaN', 'Infinity', '-Infinity']);
const BASE64 = /^[A-Za-z0-9+/_-]*(={0,2})$/;
const DURATION = /^-?\d+(?:\.\d{1,9})?s$/;
const DATE_AND_HOUR = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):/;

/** Where the texts of JSON go, and what a text may be there; what is not listed the parser checks itself. */
const SCALARS: Readonly<Partial<Record<ScalarType, Check>>> = {
  [ScalarType.INT32]: text((value) => NUMBER.test(value)),
  [ScalarType.UINT32]: text((value) => NUMBER.test(value)),
  [ScalarType.SINT32]: text((value) => NUMBER.test(value)),
  [ScalarType.FIXED32]: text((value) => NUMBER.test(value)),
  [ScalarType.SFIXED32]: text((value) => NUMBER.test(value)),
  [ScalarType.INT64]: wide,
  [ScalarType.UINT64]: wide,
  [ScalarType.SINT64]: wide,
  [ScalarType.FIXED64]: wide,
  [ScalarType.SFIXED64]: wide,
  [ScalarType.DOUBLE]: text((value) => NUMBER.test(value) || SPECIAL.has(value)),
  [ScalarType.FLOAT]: text((value) => NUMBER.test(value) || SPECIAL.has(value)),
  [ScalarType.BYTES]: text(isBase64),
};

const MESSAGES: Readonly<Record<string, Check>> = {
  'google.protobuf.Timestamp': text(isInCalendar),
  'google.protobuf.Duration': text((value) => DURATION.test(value)),
};

/**
 * Reads messages of their canonical JSON. The parser of the library takes what JavaScript's conversions take, such as
 * `"0x10"` for a number, February 30 and `"1s and more"`; this reader does not. It also keeps all digits of 64-bit
 * numbers that come as numbers.
 */
export class StrictJson {
  readonly #registry: Registry;
  readonly #ignoreUnknownFields: boolean;
  readonly #walk: JsonWalk<ExactNumbers | undefined>;

  constructor(options: { readonly registry: Registry; readonly ignoreUnknownFields: boolean }) {
    this.#registry = options.registry;
    this.#ignoreUnknownFields = options.ignoreUnknownFields;
    this.#walk = new JsonWalk(options.registry, {
      scalar: (type) => SCALARS[type],
      special: (message) => MESSAGES[message.typeName],
      keys: (type) => (type === ScalarType.STRING || type === ScalarType.BOOL ? undefined : wholeKeys),
      choice: (field) => (isUnsetByNull(field) ? dropNull : undefined),
    });
  }

  /** What is known of `Any`. */
  get registry(): Registry {
    return this.#registry;
  }

  /** Whether fields that a message does not have are passed over. */
  get ignoresUnknownFields(): boolean {
    return this.#ignoreUnknownFields;
  }

  /**
   * Makes a message of JSON, which it edits.
   *
   * @throws {Error} when the value is not the JSON of such a message.
   */
  read(message: DescMessage, json: JsonValue, exact?: ExactNumbers): Message {
    const root: JsonObject = { json };
    if (exact?.root !== undefined) exact.note(root, 'json', exact.root);
    this.#walk.of(message)?.(root, 'json', exact);
    const options = { registry: this.#registry, ignoreUnknownFields: this.#ignoreUnknownFields };
    return fromJson(message, root['json'] as JsonValue, options);
  }
}

function text(fits: (value: string) => boolean): Check {
  return (holder, key) => {
    const value = holder[key];
    if (typeof value === 'string' && !fits(value)) throw new Error('a text that does not fit');
  };
}

function wide(holder: JsonObject, key: string | number, exact: ExactNumbers | undefined): void {
  const value = holder[key];
  if (typeof value === 'string' && !isWhole(value)) throw new Error('a text that is no whole number');
  if (exact === undefined || typeof value !== 'number') return;
  const digits = exact.digitsOf(holder, key);
  if (digits !== undefined) holder[key] = digits;
}

function wholeKeys(holder: JsonObject, key: string | number): void {
  const map = holder[key];
  if (typeof map !== 'object' || map === null) return;
  for (const name of Object.keys(map)) if (!isWhole(name)) throw new Error('a key that is no whole number');
}

// `null` means that a field is not set, and so does not choose it; where null is a value it does.
function isUnsetByNull(field: DescField): boolean {
  return field.fieldKind === 'message' && field.message.typeName !== 'google.protobuf.Value';
}

function dropNull(holder: JsonObject, key: string | number): void {
  if (holder[key] === null) delete holder[key];
}

function isBase64(value: string): boolean {
  // Padding may be missing, but one digit alone says nothing.
  const padding = BASE64.exec(value)?.[1];
  return padding !== undefined && (value.length - padding.length) % 4 !== 1;
}

// The parser checks the form, the limits, minutes, seconds and the offset.
function isInCalendar(value: string): boolean {
  const parts = DATE_AND_HOUR.exec(value);
  if (parts === null) return false;
  const [year, month, day, hour] = parts.slice(1).map(Number) as [number, number, number, number];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return hour < 24 && date.getUTCMonth() === month - 1;
}
