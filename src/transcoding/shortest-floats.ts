import { ScalarType, type DescMessage, type JsonValue, type Registry } from '@bufbuild/protobuf';
import type { JsonObject } from './json-place.ts';
import { JsonWalk } from './json-walk.ts';

/**
 * Writes numbers of 32 bits with as few digits as say them: `0.1`, where JavaScript, which knows them only as
 * numbers of 64 bits, says `0.10000000149011612`. Other implementations of the canonical JSON do the same.
 *
 * @returns what edits the JSON of a message, or undefined for types that hold no such number.
 */
export function shortestFloats(
  message: DescMessage,
  registry: Registry,
): ((json: JsonValue) => JsonValue) | undefined {
  const scalar = (type: ScalarType) => (type === ScalarType.FLOAT ? shorten : undefined);
  const walk = new JsonWalk(registry, { scalar }).of(message);
  if (walk === undefined) return undefined;
  return (json) => {
    const root: JsonObject = { json };
    walk(root, 'json', undefined);
    return root['json'] as JsonValue;
  };
}

function shorten(holder: JsonObject, key: string | number): void {
  const value = holder[key];
  if (typeof value !== 'number' || isShort(value)) return;
  holder[key] = shortestFloat(value);
}

// Whole numbers up to 2^24 are exact in 32 bits.
function isShort(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) <= 2 ** 24;
}

/**
 * The shortest decimal that is read back as the same number of 32 bits. Six digits always survive 32 bits, nine
 * always say all of it (FLT_DIG and FLT_DECIMAL_DIG of C).
 */
export function shortestFloat(value: number): number {
  for (let digits = 6; digits < 9; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}
