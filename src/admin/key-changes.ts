import type { FastifyRequest } from 'fastify';
import type { AdminOrders } from './admin-orders.ts';
import { operatorOf } from './audited-orders.ts';

/** Something that an operator has wanted of an API key. */
export interface KeyChange {
  readonly what: 'created' | 'changed' | 'rotated' | 'revoked';
  /** The id of the key; absent for one that was not made. */
  readonly id?: string | undefined;
  readonly clientId?: string | undefined;
  /** Of the key that came in its place. */
  readonly successor?: string | undefined;
  readonly outcome: 'done' | 'refused';
  /** What the operator says, or why it was refused. */
  readonly reason?: string | undefined;
  /** Which order it was. */
  readonly request: FastifyRequest;
}

/** Takes note of each key change, done or refused: the one place that all of them pass. */
export function noteKeyChange(
  { logger, audit }: Pick<AdminOrders, 'logger' | 'audit'>,
  { request, ...change }: KeyChange,
): void {
  const { what, outcome, id, clientId, successor, reason } = change;
  const fields = { change: { ...change, from: request.ip } };
  if (outcome === 'done') logger.info(fields, `API key ${what}`);
  else logger.warn(fields, `API key not ${what}`);
  audit?.record({
    kind: 'key',
    action: what,
    outcome,
    ...operatorOf(request),
    target: id === undefined ? undefined : `key ${id}`,
    requestId: request.id,
    reason,
    details: { clientId, successor },
  });
}
