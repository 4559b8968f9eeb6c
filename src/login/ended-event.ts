import type { AuditActor, AuditEvent } from '../audit/audit-event.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Problem } from '../problems/problem.ts';

/** Sessions that have ended before their time. */
export interface EndedSessions {
  readonly actor: AuditActor;
  /** How revocations name them. */
  readonly target: string;
  readonly issuer: string;
}

const LEAST_SERVER_FAULT = 500;

/** The event of a log-out, which is a revocation. */
export function endedEvent(exchange: Exchange, { actor, target, issuer }: EndedSessions): AuditEvent {
  return { ...logoutOf(exchange), outcome: 'done', actor, target, details: { issuer } };
}

/** The event of a log-out that somebody has asked for in the name of the provider, without being it, or in vain. */
export function refusedEvent(exchange: Exchange, { code, status, message }: Problem): AuditEvent {
  return {
    ...logoutOf(exchange),
    outcome: status < LEAST_SERVER_FAULT ? 'refused' : 'failed',
    // Nobody knows who it is: that is why.
    actor: { type: 'anonymous' },
    status,
    reason: code,
    details: { message },
  };
}

/** The event of a browser that comes back from a log-in that it has not begun, and is sent to begin one. */
export function unknownLogin(exchange: Exchange): AuditEvent {
  return {
    ...askedBy(exchange),
    kind: 'denial',
    action: 'login',
    outcome: 'denied',
    actor: { type: 'anonymous' },
    reason: 'login-failed',
    policy: 'identify',
    details: { message: 'this browser has begun no such log-in; it begins anew' },
  };
}

function logoutOf(exchange: Exchange) {
  return { ...askedBy(exchange), kind: 'revocation', action: 'logout' } as const;
}

function askedBy({ clientAddress, request, route, id, trace }: Exchange) {
  return {
    source: { address: clientAddress, userAgent: request.headers['user-agent'] },
    route: route?.id,
    requestId: id,
    traceId: trace.traceId,
  };
}
