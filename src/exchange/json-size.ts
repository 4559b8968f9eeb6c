/**
 * Whether the JSON of a value is certainly larger than so many bytes, without writing it: a value that stands in many
 * places of an answer is one in memory, and many on the wire. Looks at no more of it than that many bytes.
 */
export function isLarger(value: unknown, maxBytes: number): boolean {
  return left(value, maxBytes) < 0;
}

/** What is left of a number of bytes after a value; a lower bound of its size is counted. */
function left(value: unknown, bytes: number): number {
  if (typeof value === 'string') return bytes - value.length - 2;
  if (typeof value !== 'object' || value === null) return bytes - 1;
  if (JSON.isRawJSON(value)) return bytes - (value as { readonly rawJSON: string }).rawJSON.length;
  let rest = bytes - 2;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length && rest >= 0; i += 1) rest = left(value[i], rest);
    return rest;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  for (const name in fields) {
    if (rest < 0) return rest;
    rest = left(fields[name], rest - name.length - 3);
  }
  return rest;
}
