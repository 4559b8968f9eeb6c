import type { SocketOptions } from '../socket.ts';
import type { OutboundMessage } from './carried-call.ts';

const HAVE_BODIES: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
const PATH = /^\/[\x21-\x7e]*$/;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const LENGTH = 'content-length';
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** What a head is written of. */
export interface RequestHead {
  readonly method: string;
  /** Path and query, already encoded. */
  readonly path: string;
  /** Names and values, flat; the length of the body is not taken from them. */
  readonly fields: readonly string[];
  readonly body: OutboundMessage['body'];
  /** The host that is asked for; default: where the target is. */
  readonly host?: string | undefined;
  /** The protocol that its connection is to go on with; default: none but HTTP. */
  readonly upgrade?: string | undefined;
}

/** Writes the heads of requests to one target (RFC 9112 section 3). */
export class RequestHeads {
  readonly #host: string;

  constructor({ host, port, secure }: Pick<SocketOptions, 'host' | 'port' | 'secure'>) {
    const name = host.includes(':') ? `[${host}]` : host;
    const isDefault = port === (secure ? 443 : 80);
    this.#host = isDefault ? name : `${name}:${port}`;
  }

  /** Writes one. @throws {Error} when it would not be what it says: nothing may end a line or begin another. */
  write({ method, path, fields, body, host, upgrade }: RequestHead): string {
    if (!PATH.test(path)) throw new Error('the path cannot be sent');
    let head = `${method} ${path} HTTP/1.1\r\nhost: ${host ?? this.#host}\r\n`;
    head +=
      upgrade === undefined ? 'connection: keep-alive\r\n' : `connection: upgrade\r\nupgrade: ${upgrade}\r\n`;
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i] as string;
      const value = fields[i + 1] as string;
      if (!NAME.test(name)) throw new Error(`"${name}" is no name of a header field`);
      if (!VALUE.test(value)) throw new Error(`the header field ${name} holds what cannot be sent`);
      // What frames the body is said below, once.
      if (name.length === LENGTH.length && name.toLowerCase() === LENGTH) continue;
      head += `${name}: ${value}\r\n`;
    }
    return head + framing(method, body);
  }
}

function framing(method: string, body: RequestHead['body']): string {
  // Servers wait for a body after these methods unless they are told that there is none (RFC 9110 section 8.6).
  if (body === null) return HAVE_BODIES.has(method) ? 'content-length: 0\r\n\r\n' : '\r\n';
  if (body.length !== undefined) return `content-length: ${body.length}\r\n\r\n`;
  return 'transfer-encoding: chunked\r\n\r\n';
}
