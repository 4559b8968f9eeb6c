const ATTRIBUTE =
  /\s*([A-Za-z][A-Za-z0-9-]*|[0-9.]+)=((?:[^,+"\\;<>]|\\[0-9A-Fa-f]{2}|\\[^0-9A-Fa-f])*)(?:[,+]|$)/y;
const ESCAPED = /(?:\\[0-9A-Fa-f]{2})+|\\(.)/g;

/** Reads the text of a distinguished name (RFC 4514): the attributes that it says once; undefined for what is none. */
export function readSubject(text: string): ReadonlyMap<string, string> | undefined {
  const found = new Map<string, string>();
  const twice = new Set<string>();
  ATTRIBUTE.lastIndex = 0;
  while (ATTRIBUTE.lastIndex < text.length) {
    const [, name = '', value = ''] = ATTRIBUTE.exec(text) ?? [];
    if (name === '') return undefined;
    if (found.has(name)) twice.add(name);
    found.set(name, value.replace(ESCAPED, unescaped));
  }
  for (const name of twice) found.delete(name);
  return found;
}

function unescaped(all: string, character: string | undefined): string {
  return character ?? Buffer.from(all.replaceAll('\\', ''), 'hex').toString();
}
