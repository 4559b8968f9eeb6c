import { ResponseBodyError } from 'openid-client';
import type { Exchange } from '../../../exchange/exchange.ts';
import { partitionOf, type Principal } from '../../../exchange/principal.ts';
import type { LoginEvent } from '../scheme.ts';
import { sessionMark, type Session } from './session.ts';

/** A session that its provider gives no tokens for any more. */
export interface RefusedRefresh {
  readonly session: Session;
  /** Whose it was. */
  readonly who: Principal;
  /** What the provider answered. */
  readonly refusal: unknown;
}

/** The event of a session that has ended because the provider refused to refresh its tokens, or gave those of somebody else. */
export function refusedRefresh(
  { clientAddress, request, route, id, trace }: Exchange,
  { session, who, refusal }: RefusedRefresh,
): LoginEvent {
  return {
    kind: 'denial',
    action: 'refresh',
    outcome: 'denied',
    actor: { type: 'principal', id: partitionOf(who), scheme: 'session' },
    source: { address: clientAddress, userAgent: request.headers['user-agent'] },
    target: `jti ${sessionMark(session.id)}`,
    route: route?.id,
    requestId: id,
    traceId: trace.traceId,
    reason: 'credentials-expired',
    policy: 'identify',
    details: { message: messageOf(refusal) },
  };
}

// Of an answer only its code: the rest is the provider's text.
function messageOf(refusal: unknown): string {
  if (refusal instanceof ResponseBodyError) return `the provider refused the refresh token: ${refusal.error}`;
  return `the provider gave tokens that are not of the session: ${Error.isError(refusal) ? refusal.message : ''}`;
}
