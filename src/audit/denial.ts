import type { Exchange } from '../exchange/exchange.ts';
import { partitionOf, type Principal } from '../exchange/principal.ts';
import { shownPathOf, shownQuery } from '../exchange/shown-target.ts';
import type { Problem } from '../problems/problem.ts';
import type { AuditActor, AuditEvent } from './audit-event.ts';

/** The stages that say who may call, and how often; what else they refuse with is one of theirs. */
const DENYING: ReadonlySet<string> = new Set(['address', 'identify', 'authorize', 'ask', 'limit', 'quota']);
const LEAST_SERVER_FAULT = 500;

/** Whether a problem denies something to somebody, rather than to find fault with what was sent, or with a service. */
export function isDenial({ entry }: Problem): boolean {
  return DENYING.has(entry.stage);
}

/** The event of a denial. @param action `request`, or `field` for a part of one. */
export function denialOf(exchange: Exchange, problem: Problem, action: 'request' | 'field'): AuditEvent {
  const { status, code, entry, by } = problem;
  // Who cannot be asked has not said no, and it is denied all the same.
  const outcome = status >= LEAST_SERVER_FAULT ? 'unavailable' : 'denied';
  return { ...askedBy(exchange), action, outcome, status, reason: code, policy: entry.stage, by };
}

/** The event of a request that would have been denied, if it were not only tried out. */
export function shadowOf(exchange: Exchange, by: string): AuditEvent {
  return { ...askedBy(exchange), action: 'request', outcome: 'shadow', by };
}

function askedBy(exchange: Exchange): Pick<AuditEvent, 'kind' | 'actor' | 'source' | 'target'> {
  const { principal, clientAddress, route, method, query, id, trace, request } = exchange;
  const about = {
    source: { address: clientAddress, userAgent: request.headers['user-agent'] },
    target: `${method} ${shownPathOf(exchange)}${query === '' ? '' : shownQuery(query)}`,
    route: route?.id,
    requestId: id,
    traceId: trace.traceId,
  };
  return { kind: 'denial', actor: actorOf(principal), ...about };
}

function actorOf(principal: Principal | undefined): AuditActor {
  if (principal === undefined) return { type: 'anonymous' };
  return { type: 'principal', id: partitionOf(principal), scheme: principal.scheme };
}
