import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket, TlsOptions } from 'node:tls';

/** An HTTP server of a registry that a test controls. */
export abstract class FakeRegistry {
  /** Paths with queries, in order. */
  readonly asked: string[] = [];
  readonly headers: IncomingMessage['headers'][] = [];
  /** Names in the certificates of clients, where it asks for them. */
  readonly clients: (string | undefined)[] = [];
  readonly #server: Server | SecureServer;

  /** @param tls for a server over TLS. */
  constructor(private readonly tls?: TlsOptions) {
    const answer = (request: IncomingMessage, response: ServerResponse): void => {
      this.asked.push(request.url ?? '');
      this.headers.push(request.headers);
      if (tls?.requestCert === true) {
        const { subject } = (request.socket as TLSSocket).getPeerCertificate();
        this.clients.push((subject as { CN?: string } | undefined)?.CN);
      }
      this.answer(new URL(request.url ?? '/', 'http://x'), response);
    };
    this.#server = tls === undefined ? createServer(answer) : createSecureServer(tls, answer);
  }

  /** Its origin. */
  get url(): string {
    return `http${this.tls === undefined ? '' : 's'}://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Goes on with another certificate; connections that are open end. */
  certify(tls: TlsOptions): void {
    (this.#server as SecureServer).setSecureContext(tls);
    this.cut();
  }

  /** Begins to listen: on any port, or on the one that it had before it was stopped. */
  async start(port = 0): Promise<this> {
    await once(this.#server.listen(port, '127.0.0.1'), 'listening');
    return this;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Cuts all connections, and goes on listening. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  protected abstract answer(url: URL, response: ServerResponse): void;
}

/** Sends JSON. */
export function sendJson(
  response: ServerResponse,
  body: unknown,
  [status, headers]: readonly [number, object] = [200, {}],
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
