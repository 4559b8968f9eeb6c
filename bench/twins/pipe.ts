import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Pool, type Dispatcher } from 'undici';

const { USERS } = process.env;

/** RFC 9110 section 7.6.1; `host` because undici sends the one of the pool. */
const NOT_FORWARDED = new Set([
  'connection',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const pool = new Pool(USERS ?? 'http://127.0.0.1:4101', { connections: 256, pipelining: 1 });

class Pipe implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#response.once('close', () => {
      if (!this.#response.writableEnded) controller.abort(new Error('the client left'));
    });
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: IncomingMessage['headers'],
  ): void {
    const flat: string[] = [];
    for (const name in headers) {
      const value = headers[name];
      if (NOT_FORWARDED.has(name) || value === undefined) continue;
      if (typeof value === 'string') flat.push(name, value);
      else for (const one of value) flat.push(name, one);
    }
    this.#response.writeHead(status, flat);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#response.write(chunk)) return;
    controller.pause();
    this.#response.once('drain', () => controller.resume());
  }

  onResponseEnd(): void {
    this.#response.end();
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (this.#response.headersSent) this.#response.destroy(error);
    else this.#response.writeHead(502).end();
  }
}

/** Passes a request on, and its answer back. */
export const pipe: RequestListener = (request, response) => {
  const raw = request.rawHeaders;
  const headers: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase();
    // Those of HTTP/2 that begin with a colon are no fields.
    if (!NOT_FORWARDED.has(name) && !name.startsWith(':')) headers.push(name, raw[i + 1] ?? '');
  }
  const hasBody = 'content-length' in request.headers || 'transfer-encoding' in request.headers;
  pool.dispatch(
    { path: request.url ?? '/', method: request.method ?? 'GET', headers, body: hasBody ? request : null },
    new Pipe(response),
  );
};
