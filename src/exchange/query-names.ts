/**
 * The name of a query parameter as a lenient server reads it, and what it is inside of: `user`, `user[]`, `User[0]` and
 * `us%65r` all begin with `user`; an index and an empty bracket are one and the same.
 */
export type QueryName = readonly string[];

const INDEX = /^\d*$/;

/** Reads the name of a pair, which ends at its first `=`. */
export function queryNameOf(pair: string): QueryName {
  const [written = ''] = pair.split('=', 1);
  // Some servers end a name at NUL, and most leave white space around it out.
  const [decoded = ''] = decode(written.replaceAll('+', ' ')).toLowerCase().split('\0', 1);
  const name = decoded.trim();
  const open = name.indexOf('[');
  if (open <= 0 || !name.includes(']', open)) return [fold(name)];
  const inner = Array.from(name.slice(open).matchAll(/\[([^\]]*)\]?/g), ([, key = '']) => key.trim());
  return [fold(name.slice(0, open)), ...inner.map((key) => (INDEX.test(key) ? '' : key))];
}

/** Whether two parameters may be one in the eyes of a server, or one a part of the other. */
export function mayBeOne(one: QueryName, other: QueryName): boolean {
  const shared = Math.min(one.length, other.length);
  if (one[0] !== other[0]) return false;
  for (let i = 1; i < shared; i += 1) {
    if (one[i] !== other[i] && one[i] !== '' && other[i] !== '') return false;
  }
  return true;
}

/** The pairs of a query, which starts with `?`; some servers separate them with `;` as well. */
export function pairsOf(query: string): string[] {
  return query.length > 1 ? query.slice(1).split('&') : [];
}

/** What is left of a pair without the parameters of these names; undefined for nothing. */
export function withoutNames(pair: string, names: readonly QueryName[]): string | undefined {
  const parts = pair.split(';');
  const kept = parts.filter((part) => {
    const name = queryNameOf(part);
    return !names.some((one) => mayBeOne(one, name));
  });
  if (kept.length === parts.length) return pair;
  return kept.length === 0 ? undefined : kept.join(';');
}

// PHP writes these characters of a name as underscores.
function fold(name: string): string {
  return name.replace(/[ .[]/g, '_');
}

// Each escape by itself, also that of IIS: one that is invalid does not keep a server from reading the others.
function decode(text: string): string {
  return text.replace(/%u([0-9a-f]{4})|(?:%[0-9a-f]{2})+/gi, (escape, unit?: string) => {
    if (unit !== undefined) return String.fromCharCode(Number.parseInt(unit, 16));
    return Buffer.from(escape.replaceAll('%', ''), 'hex').toString();
  });
}
