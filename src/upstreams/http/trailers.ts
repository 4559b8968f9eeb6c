import type { Exchange } from '../../exchange/exchange.ts';
import { FieldNames, isHopByHop } from './field-names.ts';

const names = new FieldNames();

/**
 * Fields that mean something only before a body: they frame or route the message, say who asks, or how to read it. Who
 * merges trailers into the header would believe them (RFC 9110 section 6.5.1).
 */
const ONLY_BEFORE: ReadonlySet<string> = new Set([
  'age',
  'authorization',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'expires',
  'host',
  'location',
  'max-forwards',
  'pragma',
  'range',
  'retry-after',
  'set-cookie',
  'vary',
  'via',
  'warning',
  'www-authenticate',
  'x-request-id',
]);

/** The trailers of a request that travel on: what may not be said before the body may not be said after it either. */
export function outboundTrailers({ request, headerEdits: edits, vouched, snapshot }: Exchange): string[] {
  const out: string[] = [];
  const { rawTrailers } = request;
  for (let i = 0; i < rawTrailers.length; i += 2) {
    const { lower, folded, fate } = names.of(rawTrailers[i] as string);
    // Fail closed: neither claims that an upstream lets pass nor what the route edits is let in by the back door.
    if (fate !== 'pass' || ONLY_BEFORE.has(lower) || edits?.folded.has(folded) === true) continue;
    if (vouched?.folded.has(folded) === true || snapshot?.own.names.has(folded) === true) continue;
    out.push(rawTrailers[i] as string, rawTrailers[i + 1] as string);
  }
  return out;
}

/** The trailers of an answer that travel on, as pairs. */
export function answerTrailers(fields: readonly string[]): [string, string][] {
  const out: [string, string][] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const lower = (fields[i] as string).toLowerCase();
    if (!isHopByHop(lower) && !ONLY_BEFORE.has(lower))
      out.push([fields[i] as string, fields[i + 1] as string]);
  }
  return out;
}
