import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import type { Route } from '../routing/route.ts';

/** Edits a JSON text: parses it, lets `edit` change the value, and writes it again with every number as it was. */
export function editJson(body: Buffer, edit: (value: unknown) => unknown): Buffer {
  try {
    return Buffer.from(JSON.stringify(edit(JSON.parse(body.toString('utf8'), keepNumber))));
  } catch (error) {
    // Fail closed: what cannot be read, or is nested too deeply to be walked through, cannot be masked.
    throw new Problem('upstream-response-invalid', { cause: error });
  }
}

/** Texts in which a number may not survive: many digits, or a large exponent. */
const RISKY_NUMBER = /[\d.]{16}|[\d.][eE][+-]?\d{3}/;

/** Parses JSON; a number that JavaScript cannot hold, such as a 64-bit id, is carried as its own text. */
export function parseExact(text: string): unknown {
  const value: unknown = RISKY_NUMBER.test(text) ? JSON.parse(text, keepNumber) : JSON.parse(text);
  return value;
}

// A number that does not survive the round trip (a 64-bit id, trailing zeros) is carried as its own text.
function keepNumber(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value;
  return String(value) === context.source ? value : JSON.rawJSON(context.source);
}

/** What the stages of the way out make of a JSON value; undefined when none of them edits bodies. */
export function jsonEditOf(exchange: Exchange, { leaving }: Route): ((json: unknown) => unknown) | undefined {
  if (!leaving.some((stage) => stage.body !== undefined)) return undefined;
  return (json) =>
    leaving.reduce(
      (edited, stage) => (stage.body === undefined ? edited : stage.body(exchange, edited)),
      json,
    );
}

/** Whether a media type is JSON (RFC 8259, RFC 6839). */
export function isJson(mediaType: string | undefined): boolean {
  return mediaType !== undefined && /^application\/(?:[^;\s]+\+)?json\s*(?:;|$)/i.test(mediaType);
}
