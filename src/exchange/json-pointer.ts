/** The JSON pointer (RFC 6901) of a path of names. */
export function pointerOf(keys: readonly string[]): string {
  return keys.map((key) => `/${pointerPart(key)}`).join('');
}

/** A name as a part of a JSON pointer (RFC 6901 section 3). */
export function pointerPart(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
