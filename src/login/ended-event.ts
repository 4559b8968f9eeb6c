import type { AuditActor, AuditEvent } from '../audit/audit-event.ts';
import type { Exchange } from '../exchange/exchange.ts';

/** Sessions that have ended before their time. */
export interface EndedSessions {
  readonly actor: AuditActor;
  /** How revocations name them. */
  readonly target: string;
  readonly issuer: string;
}

/** The event of a log-out, which is a revocation. */
export function endedEvent(exchange: Exchange, { actor, target, issuer }: EndedSessions): AuditEvent {
  const { clientAddress, request, route, id, trace } = exchange;
  return {
    kind: 'revocation',
    action: 'logout',
    outcome: 'done',
    actor,
    source: { address: clientAddress, userAgent: request.headers['user-agent'] },
    target,
    route: route?.id,
    requestId: id,
    traceId: trace.traceId,
    details: { issuer },
  };
}
