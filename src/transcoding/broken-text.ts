import type { JsonValue } from '@bufbuild/protobuf';
import { pointerPart } from '../exchange/json-pointer.ts';

/** An escape of one half of a character; JSON in UTF-8 can say halves in no other way. */
const HALF = /\\u[dD][89a-fA-F]/;

/**
 * Finds a text, or a name, that holds half a character: it cannot be sent on, and leaving it out would change it.
 *
 * @param source the JSON text that the value was read of.
 * @returns a JSON pointer, to the object for a name, and to the whole when it is nested too deeply to be looked
 *   through; undefined when all texts are whole.
 */
export function brokenText(source: string, json: JsonValue): string | undefined {
  if (!HALF.test(source)) return undefined;
  try {
    return search(json, '');
  } catch {
    // The stack is full: such a value fits no message either.
    return '';
  }
}

function search(json: JsonValue, pointer: string): string | undefined {
  if (typeof json === 'string') return json.isWellFormed() ? undefined : pointer;
  if (typeof json !== 'object' || json === null) return undefined;
  for (const [key, value] of Object.entries(json)) {
    if (!key.isWellFormed()) return pointer;
    const found = search(value, `${pointer}/${pointerPart(key)}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
