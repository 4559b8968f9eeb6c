import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ConfigDesk } from '../snapshot/config-desk.ts';

/** The validator of a generation (RFC 9110 section 8.8.3). */
export function etagOf(generation: number): string {
  return `"${generation}"`;
}

/**
 * Whether an order goes on: `If-Match`, where it has one, names the generation in force (RFC 9110 section 13.1.1), so that nobody
 * changes what they have not seen. Answers with 412 otherwise.
 */
export async function isStillMeant(
  { headers }: FastifyRequest,
  reply: FastifyReply,
  desk: ConfigDesk,
): Promise<boolean> {
  const wanted = headers['if-match'];
  if (wanted === undefined || wanted.trim() === '*') return true;
  const { generation } = await desk.place();
  const named = wanted.split(',').map((one) => one.trim().replace(/^"|"$/g, ''));
  if (named.includes(String(generation))) return true;
  void reply
    .code(412)
    .header('etag', etagOf(generation))
    .send({ error: `configuration ${generation} is in force, not ${named.join(', ')}` });
  return false;
}
