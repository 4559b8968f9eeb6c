import type { IncomingMessage } from 'node:http';

/** Where Node shows the fields of a request. */
export type FieldPlaces = Pick<IncomingMessage, 'headers' | 'rawHeaders' | 'headersDistinct'>;

/**
 * Has Node list the fields of a request line by line. It makes that list of the raw one when it is first asked, for as many lines as
 * came: whoever takes some of them out calls this before, or the next one who asks for `headersDistinct` gets an error.
 */
export function settleLines(request: FieldPlaces): void {
  void request.headersDistinct;
}

/**
 * Takes cookies out of a request wherever its fields are read; a field that held no others goes too (RFC 6265 section 5.4).
 *
 * @param isTaken by the name of a cookie.
 * @returns the pairs that were taken, as they came; none where there is nothing to take.
 */
export function takeCookies(request: FieldPlaces, isTaken: (name: string) => boolean): readonly string[] {
  const { headers, rawHeaders } = request;
  const taken: string[] = [];
  const isKept = (pair: string): boolean => !isTaken(nameOf(pair));
  for (const pair of headers.cookie?.split(';') ?? []) if (!isKept(pair)) taken.push(pair);
  if (taken.length === 0) return taken;
  settleLines(request);
  const rest = (field: string): string => field.split(';').filter(isKept).join(';').trim();
  for (let i = rawHeaders.length - 2; i >= 0; i -= 2) {
    if (rawHeaders[i]?.toLowerCase() !== 'cookie') continue;
    const kept = rest(rawHeaders[i + 1] as string);
    if (kept === '') rawHeaders.splice(i, 2);
    else rawHeaders[i + 1] = kept;
  }
  const lines = (request.headersDistinct['cookie'] ?? []).map(rest).filter((line) => line !== '');
  if (lines.length === 0) delete request.headersDistinct['cookie'];
  else request.headersDistinct['cookie'] = lines;
  const kept = rest(headers.cookie ?? '');
  if (kept === '') delete headers.cookie;
  else headers.cookie = kept;
  return taken;
}

function nameOf(pair: string): string {
  const equals = pair.indexOf('=');
  return pair.slice(0, equals < 0 ? pair.length : equals).trim();
}
