import type { FastifyReply, FastifyRequest } from 'fastify';
import { isMeant, type ConfigDesk, type OnlyAt } from '../snapshot/config-desk.ts';

/** The validator of a generation (RFC 9110 section 8.8.3). */
export function etagOf(generation: number): string {
  return `"${generation}"`;
}

/**
 * The generations that `If-Match` names (RFC 9110 section 13.1.1), one of which has to be in force when it is the turn of an order,
 * so that nobody changes what they have not seen; undefined for any.
 */
export function namedGenerations({ headers }: Pick<FastifyRequest, 'headers'>): OnlyAt {
  const wanted = headers['if-match'];
  if (wanted === undefined || wanted.trim() === '*') return undefined;
  return tagsOf(wanted).flatMap((tag) => (/^[1-9]\d*$/.test(tag) ? [Number(tag)] : []));
}

/** Whether an order may wait for its turn: `If-Match` names the generation in force. Answers with 412 otherwise. */
export async function isStillMeant(
  request: FastifyRequest,
  reply: FastifyReply,
  desk: ConfigDesk,
): Promise<boolean> {
  const { generation } = await desk.place();
  if (isMeant(namedGenerations(request), generation)) return true;
  sendMoved(request, reply, generation);
  return false;
}

/** Says that another configuration is in force than the one that was meant. */
export function sendMoved(
  { headers }: FastifyRequest,
  reply: FastifyReply,
  generation: number,
): FastifyReply {
  const named = tagsOf(headers['if-match'] ?? '').join(', ');
  return reply
    .code(412)
    .header('etag', etagOf(generation))
    .send({ error: `configuration ${generation} is in force, not ${named}` });
}

function tagsOf(field: string): readonly string[] {
  return field.split(',').map((one) => one.trim().replace(/^"|"$/g, ''));
}
