import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';

/** A real HTTP server that a test fully controls. */
export interface TestUpstream {
  readonly url: string;
  readonly server: Server;
  /** Requests so far, in order. */
  readonly requests: IncomingMessage[];
  /** How it answers; can be replaced while it runs. */
  listener: RequestListener;
  stop(): Promise<void>;
}

/** What the default listener answers with. */
export interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly rawHeaders: readonly string[];
  /** The body in base64, so that it can be compared byte by byte. */
  readonly base64: string;
  readonly body: string;
}

/** Starts an upstream; without a listener it answers with what it was sent, as JSON. */
export async function startUpstream(listener: RequestListener = echo): Promise<TestUpstream> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    upstream.listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const upstream: TestUpstream = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    requests,
    listener,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return upstream;
}

/** Answers with what was sent, as an {@link Echo}. */
export function echo(request: IncomingMessage, response: Parameters<RequestListener>[1]): void {
  const chunks: Buffer[] = [];
  request.on('error', () => undefined); // A sender that goes away is part of some tests.
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { method, url, headers, rawHeaders } = request;
    const bytes = Buffer.concat(chunks);
    const answer = {
      method,
      url,
      headers,
      rawHeaders,
      base64: bytes.toString('base64'),
      body: String(bytes),
    };
    const body = JSON.stringify(answer);
    const fields = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    response.writeHead(200, fields).end(body);
  });
}

/** A TCP server that treats every connection as the test says, for what no HTTP server would send. */
export interface TcpUpstream {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a TCP server. */
export async function startTcpUpstream(onRequest: (socket: Socket) => void): Promise<TcpUpstream> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    socket.once('data', () => onRequest(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
