import type { Duplex } from 'node:stream';
import type { Exchange } from '../exchange/exchange.ts';
import type { TunnelResponse } from '../exchange/tunnel-response.ts';
import { handshakeFields } from './handshake-fields.ts';
import type { AcceptedHandshake, OpenedStream, SocketOffer } from './socket-offer.ts';
import { checkVersion } from './upgrade-offer.ts';

const OK = 200;
const NOTHING = Buffer.alloc(0);
/** What the answer of a library may say over HTTP/2, too. */
const ACCEPTED = /^(sec-websocket-(?:protocol|extensions)): (.*)$/i;

/** A key that nobody looks at: 16 bytes in base64. */
export const UNUSED_KEY = 'AAAAAAAAAAAAAAAAAAAAAA==';

/** An extended CONNECT of HTTP/2 (RFC 8441 section 5): it has no key, and says yes with 200. */
export class TunnelOffer implements SocketOffer {
  readonly mayRefuseWithSuccess = false;
  readonly #exchange: Exchange;
  readonly #response: TunnelResponse;

  /** @throws {Problem} for another version of the protocol. */
  constructor(exchange: Exchange, response: TunnelResponse) {
    this.#exchange = exchange;
    this.#response = response;
    checkVersion(exchange.request.headers);
  }

  accept(accepted: AcceptedHandshake): OpenedStream {
    this.#response.openTunnel(handshakeFields(this.#exchange, OK, accepted));
    return { stream: this.#response.tunnel, first: NOTHING };
  }
}

/** Of the lines of an answer over HTTP/1.1 those that mean something over HTTP/2, as names and values. */
export function acceptedFields(lines: readonly string[]): string[] {
  return lines.flatMap((line) => ACCEPTED.exec(line)?.slice(1) ?? []);
}

/** Drops the next thing that is written: the head of a library that only knows HTTP/1.1. */
export function discardHead(stream: Duplex): void {
  stream.write = () => Reflect.deleteProperty(stream, 'write');
}
