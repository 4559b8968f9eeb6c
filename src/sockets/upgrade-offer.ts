import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import type { EndStream } from './byte-end.ts';
import { handshakeFields } from './handshake-fields.ts';
import type { AcceptedHandshake, OpenedStream, SocketOffer } from './socket-offer.ts';

const SWITCHING_PROTOCOLS = 101;
/** RFC 6455 section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** 16 bytes in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;
const VERSION = '13';

/** What a server answers a key with, to show that it has read it (RFC 6455 section 4.2.2). */
export function acceptOf(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64');
}

/** An upgrade of HTTP/1.1. */
export class UpgradeOffer implements SocketOffer {
  readonly mayRefuseWithSuccess = true;
  readonly #exchange: Exchange;
  readonly #opened: { readonly socket: EndStream; readonly head: Buffer };

  /** @throws {Problem} when the handshake is not what RFC 6455 section 4.2.1 wants. */
  constructor(exchange: Exchange, opened: { readonly socket: EndStream; readonly head: Buffer }) {
    this.#exchange = exchange;
    this.#opened = opened;
    checkHandshake(exchange.request);
  }

  accept(accepted: AcceptedHandshake): OpenedStream {
    const { response, request } = this.#exchange;
    const { socket, head } = this.#opened;
    const fields = handshakeFields(this.#exchange, SWITCHING_PROTOCOLS, accepted);
    fields.push('Connection', 'Upgrade', 'Upgrade', 'websocket');
    fields.push('Sec-WebSocket-Accept', acceptOf(String(request.headers['sec-websocket-key'])));
    response.writeHead(SWITCHING_PROTOCOLS, fields);
    response.flushHeaders();
    response.detachSocket(socket as never);
    return { stream: socket, first: head };
  }
}

function checkHandshake({ headers }: IncomingMessage): void {
  checkVersion(headers);
  if (!KEY.test(headers['sec-websocket-key'] ?? ''))
    throw new Problem('request-malformed', { detail: 'Expected a Sec-WebSocket-Key of 16 bytes in base64.' });
}

/** Looks at the version that a handshake is for. @throws {Problem} `upgrade-required` for any but 13. */
export function checkVersion(headers: IncomingMessage['headers']): void {
  if (headers['sec-websocket-version'] === VERSION) return;
  throw new Problem('upgrade-required', {
    detail: 'Expected Sec-WebSocket-Version: 13.',
    headers: { 'sec-websocket-version': VERSION, upgrade: 'websocket', connection: 'upgrade, close' },
  });
}
