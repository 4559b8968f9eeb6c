import type { Http1PoolOptions, OutboundRequest } from './http1-pool.ts';

const HAVE_BODIES: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
const PATH = /^\/[\x21-\x7e]*$/;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Writes the heads of requests to one target (RFC 9112 section 3). */
export class RequestHeads {
  readonly #host: string;

  constructor({ host, port, secure }: Http1PoolOptions) {
    const name = host.includes(':') ? `[${host}]` : host;
    const isDefault = port === (secure ? 443 : 80);
    this.#host = isDefault ? name : `${name}:${port}`;
  }

  /** Writes one. @throws {Error} when it would not be what it says: nothing may end a line or begin another. */
  write({ method, path, fields, body }: OutboundRequest): string {
    if (!PATH.test(path)) throw new Error('the path cannot be sent');
    let head = `${method} ${path} HTTP/1.1\r\nhost: ${this.#host}\r\nconnection: keep-alive\r\n`;
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i] as string;
      const value = fields[i + 1] as string;
      if (!NAME.test(name)) throw new Error(`"${name}" is no name of a header field`);
      if (!VALUE.test(value)) throw new Error(`the header field ${name} holds what cannot be sent`);
      head += `${name}: ${value}\r\n`;
    }
    // Servers wait for a body after these methods unless they are told that there is none (RFC 9110 section 8.6).
    const length = body?.length ?? (HAVE_BODIES.has(method) ? 0 : undefined);
    return length === undefined ? `${head}\r\n` : `${head}content-length: ${length}\r\n\r\n`;
  }
}
