import { fieldsOf } from '../../simulate/received.ts';
import type { Fields } from '../principals.ts';
import { Answer, RefusedError } from './answer.ts';
import { EventStream } from './event-stream.ts';
import type { GraphqlResult } from './graphql-result.ts';
import { inTime } from './mailbox.ts';
import { open, readAll } from './send.ts';
import { Subscription } from './subscription.ts';
import { TestSocket, type SocketOptions } from './test-socket.ts';

/** What a request says besides its method and path. */
export interface RequestOptions {
  /** They go before those of the client. */
  readonly headers?: Fields;
  /** A text or bytes as they are, anything else as JSON. */
  readonly body?: unknown;
}

/** What a client talks to. */
export interface ClientDeps {
  readonly url: string;
  /** Has time move on while somebody waits. */
  drive<Result>(work: Promise<Result>): Promise<Result>;
  /** Hears of what is open, so that it ends with the gateway. */
  opened(close: () => unknown): void;
}

const GRAPHQL = '/graphql';

/** Somebody who asks the gateway: REST, GraphQL, event streams and WebSockets, with the same credentials. */
export class TestClient {
  readonly #deps: ClientDeps;
  readonly #fields: Fields;

  /** @param fields that each request has. */
  constructor(deps: ClientDeps, fields: Fields) {
    this.#deps = deps;
    this.#fields = fields;
  }

  get(path: string, options: RequestOptions = {}): Promise<Answer> {
    return this.request('GET', path, options);
  }

  post(path: string, body?: unknown, options: RequestOptions = {}): Promise<Answer> {
    return this.request('POST', path, { ...options, body });
  }

  put(path: string, body?: unknown, options: RequestOptions = {}): Promise<Answer> {
    return this.request('PUT', path, { ...options, body });
  }

  patch(path: string, body?: unknown, options: RequestOptions = {}): Promise<Answer> {
    return this.request('PATCH', path, { ...options, body });
  }

  delete(path: string, options: RequestOptions = {}): Promise<Answer> {
    return this.request('DELETE', path, options);
  }

  /** Sends a request, as it is written, and reads the whole answer, whatever its status. @throws {TestingError} when there is none. */
  request(method: string, path: string, { headers, body }: RequestOptions = {}): Promise<Answer> {
    const { url } = this.#deps;
    const asked = { method, path, headers: { ...this.#fields, ...headers }, body };
    return this.#deps.drive(open(url, asked).then(readAll));
  }

  /** Runs a GraphQL operation over HTTP. @throws {TestingError} when the answer is no result of one. */
  async graphql<Data = Readonly<Record<string, unknown>>>(
    query: string,
    variables: Readonly<Record<string, unknown>> = {},
    { headers = {}, path = GRAPHQL }: { readonly headers?: Fields; readonly path?: string } = {},
  ): Promise<GraphqlResult<Data>> {
    const answer = await this.post(path, { query, variables }, { headers });
    const result = answer.problem === undefined ? answer.json<GraphqlResult<Data>>() : undefined;
    if (result === undefined || !('data' in result || 'errors' in result))
      throw new RefusedError('the GraphQL operation', answer);
    return result;
  }

  /** Subscribes over WebSocket, at the first result that is asked for. */
  subscribe<Data = Readonly<Record<string, unknown>>>(
    query: string,
    variables: Readonly<Record<string, unknown>> = {},
    { headers = {}, path = GRAPHQL }: { readonly headers?: Fields; readonly path?: string } = {},
  ): Subscription<Data> {
    const fields = { ...this.#fields, ...headers };
    const { drive } = this.#deps;
    const subscription = new Subscription<Data>({ url: this.#socketUrl(path), headers: fields, query, variables }, drive);
    this.#deps.opened(() => subscription.close());
    return subscription;
  } // prettier-ignore

  /** Opens a stream of events; `options.body` makes it a POST. @throws {RefusedError} when something else comes. */
  async events(path: string, { headers, body }: RequestOptions = {}): Promise<EventStream> {
    const { url, drive } = this.#deps;
    const fields = { accept: 'text/event-stream', ...this.#fields, ...headers };
    const method = body === undefined ? 'GET' : 'POST';
    const opening = open(url, { method, path, headers: fields, body });
    const incoming = await inTime(drive(opening), 'the stream of events to begin');
    if (fieldsOf(incoming.headers)['content-type']?.startsWith('text/event-stream') !== true)
      throw new RefusedError('the stream of events', await drive(readAll(incoming)));
    const stream = new EventStream(incoming, drive);
    this.#deps.opened(() => stream.close());
    return stream;
  }

  /** Opens a WebSocket. @throws {RefusedError} when the handshake is refused. */
  async socket(path: string, { headers, protocols = [] }: SocketOptions = {}): Promise<TestSocket> {
    const options = { headers: { ...this.#fields, ...headers }, protocols };
    const socket = await TestSocket.open(this.#socketUrl(path), options, this.#deps.drive);
    this.#deps.opened(() => socket.terminate());
    return socket;
  }

  #socketUrl(path: string): string {
    return this.#deps.url.replace(/^http/, 'ws') + path;
  }
}
