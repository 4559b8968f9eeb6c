/** What is compressed where nobody says otherwise: texts, and what is written like them. */
export const DEFAULT_TYPES = [
  'text/*',
  'application/json',
  'application/javascript',
  'application/xml',
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/yaml',
  'application/wasm',
  'application/x-javascript',
  'image/svg+xml',
  'image/bmp',
  'font/ttf',
  'font/otf',
  '*/*+json',
  '*/*+xml',
];

/** Whose reader waits for each piece, or frames it: RFC 9110 would allow it, and it breaks clients. */
const NEVER = /^(?:text\/event-stream|multipart\/x-mixed-replace|application\/grpc(?:[-+].*)?)$/;

/** Compiles which media types are compressed: `type/subtype`, a whole `type/*`, or every `*\/*+suffix`. */
export function compileTypes(patterns: readonly string[]): (contentType: string) => boolean {
  const exact = new Set<string>();
  const wide = new Set<string>();
  const suffixes: string[] = [];
  for (const pattern of patterns) {
    if (pattern.startsWith('*/*+')) suffixes.push(pattern.slice('*/*'.length));
    else if (pattern.endsWith('/*')) wide.add(pattern.slice(0, -1));
    else exact.add(pattern);
  }
  return (contentType) => {
    const end = contentType.indexOf(';');
    const type = (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
    if (NEVER.test(type)) return false;
    const slash = type.indexOf('/') + 1;
    return exact.has(type) || wide.has(type.slice(0, slash)) || suffixes.some((one) => type.endsWith(one));
  };
}
