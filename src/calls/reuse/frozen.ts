const DEVELOPMENT = process.env['NODE_ENV'] !== 'production';

/**
 * Freezes a value that several callers get, outside production: whoever changes it learns so at once, in a test.
 * In production values are shared as they are, because walking each of them costs time. Bytes cannot
 * be frozen, and errors are not values.
 */
export function freezeDeep(value: unknown): void {
  if (!DEVELOPMENT) return;
  const open: unknown[] = [value];
  // A stack of our own: nobody bounds how deep an upstream nests its JSON.
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next !== 'object' || next === null || Object.isFrozen(next)) continue;
    if (ArrayBuffer.isView(next) || next instanceof Error) continue;
    Object.freeze(next);
    for (const inner of Object.values(next)) open.push(inner);
  }
}
