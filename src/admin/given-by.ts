import type { FastifyRequest } from 'fastify';
import { operatorOf } from './audited-orders.ts';

/** Who gives an order, in a word or two that are shown as long as it holds. */
export function givenBy(request: FastifyRequest): string {
  const { actor, source } = operatorOf(request);
  return `${actor.id ?? actor.type} from ${source?.address ?? 'nowhere'}`;
}
