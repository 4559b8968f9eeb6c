import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FakeAnswer } from './answers.schema.ts';
import { fieldsOf, type Place, type Script } from './received.ts';

/** A server of this machine in place of a target. */
export interface StandIn {
  /** Host and port. */
  readonly authority: string;
  /** Has nobody listen there, or somebody again. */
  listens(isListening: boolean): Promise<void>;
  /** Ends its connections. */
  disconnect(): void;
}

/** Stands in for a target of HTTP. */
export async function httpStandIn(place: Place, script: Script): Promise<StandIn> {
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      script.failed(place, error);
      request.socket.destroy();
    });
  });
  server.keepAliveTimeout = 0;
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    // Whoever has sent it is gone.
    if (body === undefined) return;
    const { method = '', url: path = '' } = request;
    const headers = fieldsOf(request.headers);
    // As the target would be called, where it is called by its address.
    if (headers['host'] === standIn.authority) headers['host'] = new URL(place.target).host;
    const one = { ...place, method, path, headers, body };
    script.received(one);
    await reply(script, await script.answer(one), response);
  }
  // The server does not end what is none of its business any more.
  const upgraded = new Set<Duplex>();
  server.on('upgrade', (request, socket, head) => {
    upgraded.add(socket.once('close', () => upgraded.delete(socket)).on('error', () => undefined));
    const { method = '', url: path = '' } = request;
    const one = { ...place, method, path, headers: fieldsOf(request.headers), body: '' };
    script.received(one);
    if (script.upgraded === undefined) socket.destroy();
    else script.upgraded(one, { request, socket, head });
  });
  const standIn = await listening(server, () => {
    server.closeAllConnections();
    for (const socket of upgraded) socket.destroy();
  });
  return standIn;
}

/** Has a server listen on a port of its own. */
export async function listening(server: Server, disconnect: () => void): Promise<StandIn> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    authority: `127.0.0.1:${port}`,
    disconnect,
    async listens(isListening) {
      if (isListening === server.listening) return;
      if (isListening) return void (await once(server.listen(port, '127.0.0.1'), 'listening'));
      const closed = once(server, 'close');
      server.close();
      disconnect();
      await closed;
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString();
}

async function reply(
  script: Script,
  { status = 200, headers, body, delay, fault }: FakeAnswer,
  response: ServerResponse,
): Promise<void> {
  await script.wait(fault === 'hang' ? Infinity : delay);
  const { socket } = response;
  if (socket === null || socket.destroyed) return;
  if (fault === 'reset') return void socket.destroy();
  if (fault === 'garbage') return void socket.end('ICY 200 so be it\r\n\r\n');
  const isText = typeof body === 'string' || body === undefined;
  const content = Buffer.from(isText ? (body ?? '') : JSON.stringify(body));
  response.setHeader('date', new Date().toUTCString());
  if (!isText) response.setHeader('content-type', 'application/json');
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.writeHead(status);
  if (fault !== 'cut') return void response.end(content);
  response.write(content.subarray(0, Math.ceil(content.length / 2)));
  await script.wait(1);
  socket.destroy();
}
