import { printableJson } from '../telemetry/printable.ts';
import { redacted, redactedFields } from '../telemetry/redaction.ts';
import type { AuditEvent } from './audit-event.ts';

const LONGEST = 300;
/** Of a path with the names of its parameters. */
const LONGEST_TARGET = 1200;

/** What only who writes an event knows. */
export interface AuditStamp {
  /** Names the process, and counts: what is missing can be told. */
  readonly id: string;
  /** In ms since the epoch. */
  readonly timeMs: number;
  /** The digest of the line before, where lines are chained. */
  readonly previous?: string | undefined;
}

/** An event as a line of JSON, with its line break. Every text in it is bounded, and no secret that can be told is in it. */
export function auditLine(event: AuditEvent, { id, timeMs, previous }: AuditStamp): string {
  const { kind, action, outcome, actor, source, target, route, requestId, traceId, details } = event;
  const shown = {
    time: new Date(timeMs).toISOString(),
    id,
    kind,
    action: bounded(action),
    outcome,
    actor: { type: actor.type, id: bounded(actor.id), scheme: actor.scheme },
    source: source && { address: bounded(source.address), userAgent: bounded(source.userAgent) },
    target: bounded(target, LONGEST_TARGET),
    route: bounded(route),
    requestId: bounded(requestId),
    traceId: bounded(traceId),
    status: event.status,
    reason: bounded(event.reason),
    policy: event.policy,
    by: bounded(event.by),
    count: event.count,
    details: details && boundedAll(redactedFields(details)),
    previous,
  };
  return `${printableJson(JSON.stringify(shown))}\n`;
}

function boundedAll(details: NonNullable<AuditEvent['details']>): AuditEvent['details'] {
  return Object.fromEntries(
    Object.entries(details).map(([name, value]) => [
      name,
      typeof value === 'string' ? bounded(value, LONGEST_TARGET) : value,
    ]),
  );
}

// Redacted first: half a secret is one that is not found any more.
function bounded(text: string | undefined, longest = LONGEST): string | undefined {
  if (text === undefined) return undefined;
  const shown = redacted(text.length > 8 * LONGEST_TARGET ? text.slice(0, 8 * LONGEST_TARGET) : text);
  return shown.length > longest ? `${shown.slice(0, longest)}…` : shown;
}
