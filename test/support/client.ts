import { Agent, request, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import type { Readable } from 'node:stream';

/** How a request of a test differs from a plain GET. */
export interface CallOptions {
  readonly method?: string | undefined;
  readonly headers?: OutgoingHttpHeaders | undefined;
  readonly body?: string | Buffer | Readable | undefined;
}

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly text: string;
  /** Parses the body. */
  json<Body = Record<string, unknown>>(): Body;
}

const agent = new Agent({ keepAlive: true });

/** Sends a request, without any of the helpfulness of `fetch`, and reads the whole answer. */
export async function call(url: string, options: CallOptions = {}): Promise<Answer> {
  const incoming = await open(url, options);
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const text = body.toString();
  const { statusCode: status = 0, headers, rawHeaders } = incoming;
  return { status, headers, rawHeaders, body, text, json: <Body>() => JSON.parse(text) as Body };
}

/** Sends a request and returns its answer as soon as the head is there, body unread. */
export function open(
  url: string,
  { method = 'GET', headers, body }: CallOptions = {},
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { hostname, port, pathname } = new URL(url);
    // The target as the test wrote it: `URL` would bring it into a normal form.
    const path = url.slice(url.indexOf('/', url.indexOf('//') + 2)) || pathname;
    const outgoing = request({ hostname, port, path, method, headers: headers ?? {}, agent });
    outgoing.once('response', resolve).once('error', reject);
    if (typeof body === 'object' && 'pipe' in body) {
      body.once('error', (error) => outgoing.destroy(error));
      body.pipe(outgoing);
    } else outgoing.end(body);
  });
}

/** Writes bytes to a socket and returns the first answer as text, however broken the exchange is. */
export function speak(url: string, bytes: string | Buffer, waitMs = 15_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    let heard = '';
    const finish = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(heard);
    };
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no answer to ${JSON.stringify(String(bytes).slice(0, 200))}; heard: ${heard}`));
    }, waitMs);
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString('latin1');
      if (isWhole(heard)) finish();
    });
    socket.once('error', finish).once('close', finish);
    socket.write(bytes);
  });
}

/** The status of an answer as text; 0 when the connection ended without one. */
export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
}

function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0 || text.startsWith('HTTP/1.1 1')) return false;
  const length = Number(/^content-length: *(\d+)/im.exec(text.slice(0, end))?.[1] ?? 0);
  return text.length >= end + 4 + length;
}

/** Reads an answer that {@link speak} returned. */
export function parseAnswer(text: string): Answer {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const body = Buffer.from(rest.join('\r\n\r\n'), 'latin1');
  const fields = head
    .split('\r\n')
    .slice(1)
    .map((line) => line.split(/: */, 2));
  const headers = Object.fromEntries(fields.map(([name = '', value = '']) => [name.toLowerCase(), value]));
  const json = <Body>() => JSON.parse(body.toString()) as Body;
  return { status: statusOf(text), headers, rawHeaders: fields.flat(), body, text: body.toString(), json };
}
