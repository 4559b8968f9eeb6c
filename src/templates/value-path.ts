/**
 * Follows keys and indexes into a JSON value; undefined where the way ends. Only what the answer itself holds is
 * found, never something that JavaScript adds to it.
 */
export function readPath(root: unknown, steps: readonly string[]): unknown {
  let value = root;
  for (const step of steps) {
    if (!isContainer(value)) return undefined;
    if (Array.isArray(value)) value = /^\d{1,9}$/.test(step) ? (value[Number(step)] as unknown) : undefined;
    else value = Object.hasOwn(value, step) ? value[step] : undefined;
  }
  return value;
}

/** Whether a JSON value is an object; neither a list nor a number that is carried as its text. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return isContainer(value) && !Array.isArray(value);
}

function isContainer(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !JSON.isRawJSON(value);
}

/** A text, number or boolean as text; undefined for everything else, and for what is empty or no Unicode. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (JSON.isRawJSON(value)) return (value as { readonly rawJSON: string }).rawJSON;
  return typeof value === 'string' && value !== '' && value.isWellFormed() ? value : undefined;
}
