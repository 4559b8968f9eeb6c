import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Fault } from './fault.ts';
import { HttpError, HttpRoutes, json, jsonText } from './http-routes.ts';
import type { HttpCall, HttpHandler, HttpRoute, Reply } from './http-routes.ts';
import { SampleService, type Listening, type ServiceOptions } from './sample-service.ts';

const HEALTHY = json(200, { status: 'ok' });
const FAILED = json(500, { error: 'the service failed, as it was told to' });
const UNAVAILABLE = json(503, { error: 'the service is unavailable, as it was told to' }, [
  'Retry-After',
  '1',
]);
/** Says it is JSON and is not. */
const GARBAGE = jsonText(200, '{"items": [<!doctype html>');
const INTERNAL = json(500, { error: 'internal error' });
const BAD_PATH = json(400, { error: 'the path is not valid percent-encoding' });
const NOT_FOUND = json(404, { error: 'no such path' });

/** A sample service over HTTP/1.1 with keep-alive. Every one also answers `GET /healthz`. */
export class HttpService extends SampleService {
  /** The request that came last, for tests that look at what a gateway sent. */
  lastRequest: IncomingMessage | undefined;
  readonly #routes: HttpRoutes;
  readonly #servedBy: readonly string[];

  constructor(name: string, options: ServiceOptions, routes: readonly HttpRoute[]) {
    super(name, 'http', options);
    this.#servedBy = ['X-Served-By', name];
    this.#routes = new HttpRoutes([...routes, { method: 'GET', path: '/healthz', handle: () => HEALTHY }]);
  }

  protected override listen(host: string, port: number): Promise<Listening> {
    const server = createServer((request, response) => this.#accept(request, response));
    // Longer than any client's idle limit, so that it is never us who close a connection about to be used.
    server.keepAliveTimeout = 120_000;
    // Large transfers may take as long as they like.
    server.requestTimeout = 0;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        const close = (): Promise<void> =>
          new Promise((closed) => {
            server.close(() => closed());
            server.closeAllConnections();
          });
        resolve({ port: (server.address() as AddressInfo).port, close });
      });
    });
  }

  #accept(request: IncomingMessage, response: ServerResponse): void {
    this.lastRequest = request;
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    const path = mark === -1 ? url : url.slice(0, mark);
    const { operation, parameter: raw, allow } = this.#routes.find(request.method ?? 'GET', path);
    this.requests.count(operation?.name ?? 'unmatched');
    const handle = operation?.handle ?? (() => miss(allow));
    const parameter = raw.includes('%') ? decode(raw) : raw;
    if (parameter === undefined) return this.#send(response, BAD_PATH);
    const call = { request, response, parameter, query: mark === -1 ? '' : url.slice(mark + 1) };
    if (this.mode === 'none') this.#run(handle, call);
    else this.#misbehave(this.mode, handle, call);
  }

  #misbehave(mode: Fault, handle: HttpHandler, call: HttpCall): void {
    const { request, response } = call;
    if (typeof mode === 'object') {
      const giveUp = (): void => {
        clearTimeout(timer);
        this.requests.aborted += 1;
      };
      const timer = setTimeout(() => {
        response.off('close', giveUp);
        this.#run(handle, call);
      }, mode.slow);
      response.once('close', giveUp);
      return;
    }
    if (mode === 'fail') this.#send(response, FAILED);
    else if (mode === 'unavailable') this.#send(response, UNAVAILABLE);
    else if (mode === 'garbage') this.#send(response, GARBAGE);
    else request.destroy();
  }

  #run(handle: HttpHandler, call: HttpCall): void {
    try {
      const reply = handle(call);
      if (reply instanceof Promise) {
        reply.then(
          (settled) => this.#send(call.response, settled),
          (error: unknown) => this.#refuse(call, error),
        );
      } else if (reply !== undefined) this.#send(call.response, reply);
    } catch (error) {
      this.#refuse(call, error);
    }
  }

  #refuse({ request, response }: HttpCall, error: unknown): void {
    // A body that ended early is the client's doing, and there is nobody left to answer.
    if (request.errored !== null) this.requests.aborted += 1;
    else if (error instanceof HttpError) this.#send(response, json(error.status, { error: error.message }));
    else {
      console.error(`${this.name}: ${request.method} ${request.url}:`, error);
      this.#send(response, INTERNAL);
    }
  }

  #send(response: ServerResponse, reply: Reply): void {
    if (response.destroyed) return;
    response.writeHead(reply.status, reply.headers.concat(this.#servedBy));
    response.end(reply.body);
  }
}

function miss(allow: string): Reply {
  return allow === '' ? NOT_FOUND : json(405, { error: `only ${allow} is possible here` }, ['Allow', allow]);
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
