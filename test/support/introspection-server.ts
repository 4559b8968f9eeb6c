import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { freePort } from '../../src/listeners/free-port.ts';

/** A question that an introspection endpoint was asked. */
export interface IntrospectionQuestion {
  readonly form: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage['headers'];
}

/** An introspection endpoint (RFC 7662) on a socket of its own, whose answers can be changed while it runs. */
export class IntrospectionServer {
  /** What it says of tokens; of any other one that it is not active. */
  readonly tokens = new Map<string, Readonly<Record<string, unknown>>>();
  /** How it answers in place of that; undefined to say what it knows. */
  answer: ((response: ServerResponse, question: IntrospectionQuestion) => void) | undefined = undefined;
  /** What `GET` of a path is answered with, such as metadata and keys. */
  readonly documents = new Map<string, object>();
  readonly asked: IntrospectionQuestion[] = [];
  #server: Server | undefined = undefined;
  #port: number | undefined = undefined;

  /** Starts on a free port, and on the same port when it was stopped before. */
  async start(): Promise<this> {
    const server = createServer((request, response) => void this.#serve(request, response));
    this.#port ??= await freePort();
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    return this;
  }

  get issuer(): string {
    return `http://127.0.0.1:${String(this.#port)}`;
  }

  get url(): string {
    return `${this.issuer}/introspect`;
  }

  /** How often it was asked about a token. */
  count(token: string): number {
    return this.asked.filter(({ form }) => form['token'] === token).length;
  }

  /** Has it say of a token that it is active. */
  knows(token: string, more: Readonly<Record<string, unknown>> = {}): string {
    const usual = { active: true, token_type: 'Bearer', sub: 'alice', client_id: 'web', scope: 'read write' };
    this.tokens.set(token, { ...usual, ...more });
    return token;
  }

  /** Ends it and its connections; safe to call twice. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET') {
      const document = this.documents.get(request.url ?? '');
      return void response.writeHead(document === undefined ? 404 : 200).end(JSON.stringify(document ?? {}));
    }
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
    const question = {
      form: Object.fromEntries(new URLSearchParams(body)),
      headers: request.headers,
    };
    this.asked.push(question);
    if (this.answer !== undefined) return this.answer(response, question);
    const known = this.tokens.get(question.form['token'] ?? '') ?? { active: false };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(known));
  }
}
