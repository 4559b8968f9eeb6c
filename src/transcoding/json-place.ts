import type { JsonValue } from '@bufbuild/protobuf';

/** An object of JSON. */
export type JsonObject = Record<string, JsonValue>;

/** The object that holds the last key of a path; what is missing on the way, or is no object, is made. */
export function at(root: JsonObject, keys: readonly string[]): JsonObject {
  let object = root;
  for (let i = 0; i < keys.length - 1; i += 1) {
    const key = keys[i] as string;
    const next = Object.hasOwn(object, key) ? object[key] : undefined;
    object = isJsonObject(next) ? next : ((object[key] = {}) as JsonObject);
  }
  return object;
}

/** Whether a value is an object of JSON: no list, not null. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
