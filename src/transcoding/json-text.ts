import type { JsonValue } from '@bufbuild/protobuf';
import { Problem } from '../problems/problem.ts';
import { brokenText } from './broken-text.ts';
import { ExactNumbers } from './exact-numbers.ts';
import { repeatedName } from '../exchange/repeated-names.ts';

const MANY_DIGITS = /\d{16}/;
const WHOLE = /^-?\d+$/;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** What a text says, and the digits that numbers of JavaScript cannot hold. */
export interface JsonContent {
  readonly json: JsonValue;
  readonly exact: ExactNumbers | undefined;
}

/**
 * Reads a text; an empty one is undefined.
 *
 * @throws {Problem} `request-invalid` when it is not JSON in UTF-8, says a name twice, or holds half a character.
 */
export function readJsonText(bytes: Uint8Array): JsonContent | undefined {
  if (bytes.length === 0) return undefined;
  let text: string;
  let content: JsonContent;
  try {
    text = utf8.decode(bytes);
    content = MANY_DIGITS.test(text)
      ? parseExactly(text)
      : { json: JSON.parse(text) as JsonValue, exact: undefined };
  } catch (error) {
    throw refused('', 'expected JSON in UTF-8', error);
  }
  const repeated = repeatedName(text);
  if (repeated !== undefined) throw refused(repeated, 'expected each name once');
  const broken = brokenText(text, content.json);
  if (broken !== undefined) throw refused(broken, 'expected text');
  return content;
}

function parseExactly(text: string): JsonContent {
  const exact = new ExactNumbers();
  const json = JSON.parse(
    text,
    function (this: object, key: string, value: unknown, context?: { source?: string }) {
      const source = context?.source;
      if (
        typeof value === 'number' &&
        source !== undefined &&
        !Number.isSafeInteger(value) &&
        WHOLE.test(source)
      ) {
        exact.note(this, key, source);
      }
      return value;
    },
  ) as JsonValue;
  if (typeof json === 'number') exact.root = text.trim();
  return { json, exact };
}

function refused(pointer: string, message: string, cause?: unknown): Problem {
  return new Problem('request-invalid', { cause, extensions: { errors: [{ pointer, message }] } });
}
