import { validateHeaderValue } from 'node:http';
import type { Exchange } from '../exchange/exchange.ts';
import type { AcceptedHandshake } from './socket-offer.ts';

/** What only the handshake itself may say (RFC 6455 section 4.2.2), and what frames a body, of which it has none. */
const OF_THE_HANDSHAKE =
  /^(connection|upgrade|sec-websocket-.*|content-length|content-type|transfer-encoding)$/i;

/** Whether a field of this name is for the handshake alone to say. */
export function isOfHandshake(name: string): boolean {
  return OF_THE_HANDSHAKE.test(name);
}

/**
 * The fields of the answer to a handshake that was forwarded: those of the service behind, edited by the stages of the way out
 * as those of any answer of the route; what was chosen of subprotocols and extensions; and nothing else of the handshake.
 *
 * @throws what stages throw, or that a field cannot be sent.
 */
export function handshakeFields(
  exchange: Exchange,
  status: number,
  { fields, protocol, extensions }: AcceptedHandshake,
): string[] {
  const head = { status, headers: ownFields(fields) };
  exchange.finishHead(head, 'switch');
  const finished = ownFields(head.headers);
  if (protocol !== undefined) finished.push('Sec-WebSocket-Protocol', protocol);
  if (extensions !== undefined) finished.push('Sec-WebSocket-Extensions', extensions);
  return finished;
}

function ownFields(fields: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const [name, value] = [fields[i] as string, fields[i + 1] as string];
    if (isOfHandshake(name)) continue;
    validateHeaderValue(name, value);
    kept.push(name, value);
  }
  return kept;
}
