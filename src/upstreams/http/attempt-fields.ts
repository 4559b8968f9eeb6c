import type { Exchange } from '../../exchange/exchange.ts';
import { signedFor } from '../identity/service-identity.ts';
import type { Upstream } from '../upstream.ts';
import { DEADLINE_FIELD, retellDeadline } from './deadline-field.ts';

/** What the fields of an attempt depend on besides its request. */
export interface AttemptTime {
  /** Whether others came before it. */
  readonly isRepeated: boolean;
  /** Time left until the deadline, in ms; `Infinity` without one. */
  leftMs(): number;
}

/**
 * The header fields of one attempt: those of its request, and what only its target is told, or only now.
 *
 * @param headers of the request, flat; the deadline in them is brought up to date.
 */
export function attemptFields(
  headers: string[],
  exchange: Exchange,
  upstream: Upstream,
  time: AttemptTime,
): readonly string[] {
  const { deadlineField } = upstream;
  const { targetEdits, headerEdits } = exchange;
  // Unless the route says what that field says.
  if (time.isRepeated && headerEdits?.drop.has(DEADLINE_FIELD) !== true)
    retellDeadline(headers, time.leftMs());
  const signed = signedFor(upstream, headers, exchange);
  const fields = targetEdits === undefined ? signed : targetEdits.requestFields([...signed], exchange);
  return deadlineField === undefined ? fields : deadlineField.fieldsOf(fields, time.leftMs());
}
