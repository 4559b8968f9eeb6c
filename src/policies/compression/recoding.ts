import type { Coding } from './accept-encoding.ts';

/** Fields that describe the bytes as they were. */
const OF_BYTES: ReadonlySet<string> = new Set([
  'content-length',
  'accept-ranges',
  'content-encoding',
  'content-md5',
  'digest',
  'content-digest',
  'repr-digest',
]);
const NO_TRANSFORM = /(?:^|[\s,])no-transform(?:$|[\s,;])/i;

/** Whether a `Cache-Control` forbids to change the coding (RFC 9111 sections 5.2.1.6 and 5.2.2.6). */
export function forbidsRecoding(cacheControl: string | undefined): boolean {
  return cacheControl !== undefined && NO_TRANSFORM.test(cacheControl);
}

/** Makes the fields of a head, a flat list, those of the same answer in a coding. */
export function recode(headers: string[], coding: Coding): void {
  let kept = 0;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (OF_BYTES.has(name.toLowerCase())) continue;
    headers[kept] = name;
    headers[kept + 1] = headers[i + 1] as string;
    kept += 2;
  }
  headers.length = kept;
  weaken(headers);
  headers.push('content-encoding', coding);
}

/** Makes a strong `ETag` a weak one: the bytes differ from one coding to the next, and the tag does not (RFC 9110 section 8.8.3.3). */
export function weaken(headers: string[]): void {
  for (let i = 0; i < headers.length; i += 2) {
    const value = headers[i + 1] as string;
    if (headers[i]?.toLowerCase() === 'etag' && !value.startsWith('W/')) headers[i + 1] = `W/${value}`;
  }
}
