import type { DescMessage, JsonValue } from '@bufbuild/protobuf';
import { Problem } from '../../../problems/problem.ts';

const MANY_DIGITS = /\d{16}/;
const WHOLE = /^-?\d+$/;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Types whose JSON is free, so that a number in it must stay one. */
const FREE = new Set([
  'google.protobuf.Struct',
  'google.protobuf.Value',
  'google.protobuf.ListValue',
  'google.protobuf.Any',
]);

/** Reads JSON texts for one message. */
export class JsonText {
  readonly #exact: boolean;

  constructor(message: DescMessage) {
    this.#exact = !reachesFreeJson(message);
  }

  /**
   * Reads a text; an empty one is undefined. A whole number that is too large for a JSON number of JavaScript
   * keeps all its digits, as text, which is the canonical form of 64-bit fields.
   *
   * @throws {Problem} `request-invalid` when it is not JSON in UTF-8.
   */
  parse(bytes: Uint8Array): JsonValue | undefined {
    if (bytes.length === 0) return undefined;
    try {
      const text = utf8.decode(bytes);
      const value: unknown =
        this.#exact && MANY_DIGITS.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
      return value as JsonValue;
    } catch (error) {
      const errors = [{ pointer: '', message: 'expected JSON in UTF-8' }];
      throw new Problem('request-invalid', { cause: error, extensions: { errors } });
    }
  }
}

function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || context?.source === undefined) return value;
  return WHOLE.test(context.source) ? context.source : value;
}

function reachesFreeJson(message: DescMessage, seen = new Set<DescMessage>()): boolean {
  if (FREE.has(message.typeName)) return true;
  if (seen.has(message)) return false;
  seen.add(message);
  return message.fields.some((field) => field.message !== undefined && reachesFreeJson(field.message, seen));
}
