import type { Exchange } from '../exchange/exchange.ts';

/** Methods that may be sent twice without harm (RFC 9110 section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

/** The field by which a client says that its service knows a request again (draft-ietf-httpapi-idempotency-key-header). */
const KEY = 'idempotency-key';

/** Whether requests with this method, in upper case, may be sent twice without harm. */
export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}

/**
 * Whether a request may be sent twice without harm, by its method, or because the target is told a key by which it knows it
 * again.
 *
 * @param fields names and values of what goes out, flat: a key that does not reach the target protects nothing.
 */
export function isRepeatable(exchange: Exchange, fields: readonly string[]): boolean {
  return IDEMPOTENT.has(exchange.method) || isKnownAgain(exchange, fields);
}

/**
 * Whether the target is told a key by which it knows a request again. Where the gateway itself sees to it that a request
 * with a key is run once, it sends none twice of which it may have been run, unless services are said to know keys too.
 */
export function isKnownAgain({ keeper }: Exchange, fields: readonly string[]): boolean {
  return keeper?.mayRunAgain !== false && hasIdempotencyKey(fields);
}

/** Whether a key by which the target knows a request again is among names and values. */
function hasIdempotencyKey(fields: readonly string[]): boolean {
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    // By an empty one the target would know nothing again.
    if (name.length === KEY.length && name.toLowerCase() === KEY && (fields[i + 1] as string).trim() !== '')
      return true;
  }
  return false;
}
