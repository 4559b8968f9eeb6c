import type { IncomingMessage } from 'node:http';
import { Exchange } from '../../../exchange/exchange.ts';
import { KEY_FIELD, keyFieldOf } from '../../../exchange/key-places.ts';
import { openingOf } from '../../../exchange/opening-of.ts';

const CREDENTIALS = ['authorization', KEY_FIELD];

/** Whether a request carries a credential itself; browsers cannot add one to the handshake of a WebSocket. */
export function hasCredential({ headers }: IncomingMessage): boolean {
  return CREDENTIALS.some((name) => headers[name] !== undefined);
}

/**
 * The exchange of a socket whose client sent its credential with `connection_init`: the same stages read it as
 * if it had been a header field of the handshake.
 */
export function withCredentials(
  exchange: Exchange,
  params: Readonly<Record<string, unknown>> | undefined,
): Exchange {
  const keyField = keyFieldOf(exchange);
  const fields: Readonly<Record<string, string>> = { authorization: 'authorization', [keyField]: KEY_FIELD };
  const given = Object.entries(params ?? {}).flatMap(([name, value]) => {
    const lower = name.toLowerCase();
    const field = Object.hasOwn(fields, lower) ? fields[lower] : undefined;
    return field !== undefined && typeof value === 'string' ? [[field, value] as const] : [];
  });
  const request = Object.create(exchange.request, {
    headers: { value: { ...exchange.request.headers, ...Object.fromEntries(given) } },
    rawHeaders: { value: [...exchange.request.rawHeaders, ...given.flat()] },
  }) as IncomingMessage;
  const identified = new Exchange({ ...openingOf(exchange), request });
  identified.route = exchange.route;
  return identified;
}
