import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP server of a registry that a test controls. */
export abstract class FakeRegistry {
  /** Paths with queries, in order. */
  readonly asked: string[] = [];
  readonly headers: IncomingMessage['headers'][] = [];
  readonly #server: Server = createServer((request, response) => {
    this.asked.push(request.url ?? '');
    this.headers.push(request.headers);
    this.answer(new URL(request.url ?? '/', 'http://x'), response);
  });

  /** Its origin. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
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
