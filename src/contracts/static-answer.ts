import { createHash } from 'node:crypto';

/** Something that is sent as it is until the process ends or the routes change. */
export interface StaticAnswer {
  readonly contentType: string;
  readonly body: string;
  /** A strong validator (RFC 9110 section 8.8.3), equal for equal bodies in every replica. */
  readonly etag: string;
}

/** Makes an answer that clients can revalidate. */
export function staticAnswer(contentType: string, body: string): StaticAnswer {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;
  return { contentType, body, etag };
}

/** Whether `If-None-Match` names what would be sent; a weak comparison (RFC 9110 section 13.1.2). */
export function isKnown(ifNoneMatch: string | undefined, { etag }: StaticAnswer): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  return ifNoneMatch.split(',').some((one) => one.trim().replace(/^W\//, '') === etag);
}
