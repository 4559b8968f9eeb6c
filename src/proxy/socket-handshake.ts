import { randomBytes } from 'node:crypto';
import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { isOfHandshake } from '../sockets/handshake-fields.ts';
import type { AcceptedHandshake } from '../sockets/socket-offer.ts';
import { offeredProtocols } from '../sockets/socket-protocols.ts';
import { acceptOf } from '../sockets/upgrade-offer.ts';
import type { AnswerHead } from '../upstreams/transport/http1/answer-head.ts';
import { MalformedAnswer } from '../upstreams/transport/http1/http1-faults.ts';

const KEY_BYTES = 16;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** An offer of RFC 7692, or an agreement to one. */
const DEFLATE = /^permessage-deflate(?:\s*;[^,]*)?$/i;

/**
 * The handshake with a service on behalf of a client (RFC 6455 section 4.1): a key of our own, so that nothing a client says
 * can look like the answer to it, and of what the client offers only what the gateway can stand for.
 */
export class SocketHandshake {
  readonly #key = randomBytes(KEY_BYTES).toString('base64');
  readonly #protocols: readonly string[];
  readonly #extensions: readonly string[];
  #answer: AnswerHead | undefined = undefined;

  /**
   * @param mayCompress whether `permessage-deflate` may be agreed on; no other extension ever is.
   * @throws {Problem} `request-malformed` for subprotocols that are none.
   */
  constructor({ request: { headers } }: Exchange, mayCompress: boolean) {
    this.#protocols = offeredProtocols(headers['sec-websocket-protocol']);
    if (!this.#protocols.every((name) => TOKEN.test(name)))
      throw new Problem('request-malformed', { detail: 'Expected tokens in Sec-WebSocket-Protocol.' });
    const offered = mayCompress ? (headers['sec-websocket-extensions'] ?? '') : '';
    this.#extensions = listOf(offered).filter((one) => DEFLATE.test(one));
  }

  /** Puts the fields of the handshake in place of those of the client. @param fields names and values. */
  fields(fields: readonly string[]): string[] {
    const out: string[] = [];
    for (let i = 0; i < fields.length; i += 2)
      if (!isOfHandshake(fields[i] as string)) out.push(fields[i] as string, fields[i + 1] as string);
    out.push('sec-websocket-version', '13', 'sec-websocket-key', this.#key);
    if (this.#protocols.length > 0) out.push('sec-websocket-protocol', this.#protocols.join(', '));
    if (this.#extensions.length > 0) out.push('sec-websocket-extensions', this.#extensions.join(', '));
    return out;
  }

  /** Looks at the answer of the service. @throws {MalformedAnswer} when it has not read the handshake, or agrees to what nobody offered. */
  check(head: AnswerHead): void {
    const { headers } = head;
    // Fails closed: what answers without knowing the key may be no WebSocket at all.
    if (headers['sec-websocket-accept'] !== acceptOf(this.#key))
      throw new MalformedAnswer('its Sec-WebSocket-Accept is wrong');
    const protocol = headers['sec-websocket-protocol'];
    if (protocol !== undefined && !this.#protocols.includes(protocol as string))
      throw new MalformedAnswer('it chose a subprotocol that nobody offered');
    const agreed = listOf(headers['sec-websocket-extensions'] ?? '');
    if (agreed.length > Math.min(1, this.#extensions.length) || !agreed.every((one) => DEFLATE.test(one)))
      throw new MalformedAnswer('it agreed to an extension that nobody offered');
    this.#answer = head;
  }

  /** What it has said, once {@link check} has passed. */
  get accepted(): AcceptedHandshake {
    const head = this.#answer as AnswerHead;
    const { 'sec-websocket-protocol': protocol, 'sec-websocket-extensions': extensions } = head.headers;
    const agreed = listOf(extensions ?? '');
    return { fields: head.fields(), protocol: protocol as string | undefined, extensions: agreed[0] };
  }
}

function listOf(value: string | readonly string[]): string[] {
  return String(value)
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
