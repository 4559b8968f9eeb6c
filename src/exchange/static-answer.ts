import type { FastifyReply } from 'fastify';
import { createHash } from 'node:crypto';

/** Something that is sent as it is until the process ends or the routes change. */
export interface StaticAnswer {
  readonly contentType: string;
  readonly body: string | Buffer;
  /** A strong validator (RFC 9110 section 8.8.3), equal for equal bodies in every replica. */
  readonly etag: string;
}

/** Makes an answer that clients can revalidate. */
export function staticAnswer(contentType: string, body: string | Buffer): StaticAnswer {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;
  return { contentType, body, etag };
}

/**
 * Sends an answer, or 304 to whoever has it already. Browsers take it for what it says it is, and tell nobody
 * where they came from.
 *
 * @param ifNoneMatch what the client says that it has.
 */
export function sendStatic(
  reply: FastifyReply,
  answer: StaticAnswer,
  ifNoneMatch: string | undefined,
  cacheControl: string,
): void {
  void reply
    .header('etag', answer.etag)
    .header('cache-control', cacheControl)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer');
  if (isKnown(ifNoneMatch, answer)) void reply.code(304).send();
  else void reply.type(answer.contentType).send(answer.body);
}

// A weak comparison (RFC 9110 section 13.1.2).
function isKnown(ifNoneMatch: string | undefined, { etag }: StaticAnswer): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  return ifNoneMatch.split(',').some((one) => one.trim().replace(/^W\//, '') === etag);
}
