import type { Exchange } from '../../exchange/exchange.ts';
import { addTraceFields } from '../../telemetry/trace-context.ts';
import { signedFor, toldTo } from '../identity/service-identity.ts';
import type { Upstream } from '../upstream.ts';

/** What the fields of a call depend on besides its exchange. */
export interface CallFacts {
  /** Time left for it, in ms; `Infinity` without a bound. */
  readonly leftMs: number;
  readonly hasBody: boolean;
}

/**
 * The header fields of a call that speaks JSON over HTTP: the verified identity, the trace, the request id and the time that
 * is left; nothing of what the client sent by itself.
 *
 * @param upstream undefined where nobody knows it yet.
 */
export function callFields(
  exchange: Exchange,
  upstream: Pick<Upstream, 'deadlineField' | 'identity'> | undefined,
  { leftMs: left, hasBody }: CallFacts,
): readonly string[] {
  const { id, trace, principal } = exchange;
  const headers = ['accept', 'application/json', 'accept-encoding', 'identity', 'x-request-id', id];
  addTraceFields(headers, trace);
  if (left !== Infinity) headers.push('x-request-deadline-ms', String(Math.max(0, Math.floor(left))));
  if (hasBody) headers.push('content-type', 'application/json');
  const identity = toldTo(upstream, principal);
  for (let i = 0; i < identity.length; i += 1) headers.push(identity[i] as string);
  const fields = signedFor(upstream, headers, exchange);
  const deadlineField = upstream?.deadlineField;
  return deadlineField === undefined ? fields : deadlineField.fieldsOf(fields, left);
}

/** The name that a call goes by: what `host` of its upstream says; it has no client whose host could be kept. */
export function callHost({ options: { host } }: Upstream): string | undefined {
  return host === 'keep' || host === 'target' ? undefined : host;
}
