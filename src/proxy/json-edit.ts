import { Problem } from '../problems/problem.ts';

/** Edits a JSON text: parses it, lets `edit` change the value, and writes it again with every number as it was. */
export function editJson(body: Buffer, edit: (value: unknown) => unknown): Buffer {
  try {
    return Buffer.from(JSON.stringify(edit(JSON.parse(body.toString('utf8'), keepNumber))));
  } catch (error) {
    // Fail closed: what cannot be read, or is nested too deeply to be walked through, cannot be masked.
    throw new Problem('upstream-response-invalid', { cause: error });
  }
}

// A number that does not survive the round trip (a 64-bit id, trailing zeros) is carried as its own text.
function keepNumber(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value;
  return String(value) === context.source ? value : JSON.rawJSON(context.source);
}

/** Whether a media type is JSON (RFC 8259, RFC 6839). */
export function isJson(mediaType: string | undefined): boolean {
  return mediaType !== undefined && /^application\/(?:[^;\s]+\+)?json\s*(?:;|$)/i.test(mediaType);
}
