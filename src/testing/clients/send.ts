import { request, type IncomingMessage } from 'node:http';
import { fieldsOf } from '../../simulate/received.ts';
import { TestingError } from '../testing-error.ts';
import { Answer } from './answer.ts';

/** What is sent. */
export interface Sending {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A text or bytes as they are, anything else as JSON. */
  readonly body?: unknown;
}

/**
 * Sends a request on a connection of its own, as it is written; resolves once the head of its answer is there.
 *
 * @throws {TestingError} when the connection ends without an answer.
 */
export function open(url: string, { method, path, headers, body }: Sending): Promise<IncomingMessage> {
  if (!path.startsWith('/')) throw new TestingError(`expected a path such as /users/7, given "${path}"`);
  const { hostname: host, port } = new URL(url);
  const isRaw = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
  const content = isRaw ? body : JSON.stringify(body);
  const fields = {
    ...(!isRaw && { 'content-type': 'application/json' }),
    ...(content !== undefined && { 'content-length': String(Buffer.byteLength(content)) }),
    ...lowerCase(headers),
  };
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, method, path, headers: fields, agent: false });
    sent.once('response', resolve).once('error', (error) => {
      reject(
        new TestingError(`${method} ${path}: the connection ended without an answer: ${error.message}`, {
          cause: error,
        }),
      );
    });
    sent.end(content);
  });
}

/** Reads an answer to its end. @throws {TestingError} when it is cut off. */
export async function readAll(incoming: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  } catch (error) {
    throw new TestingError(
      `the answer was cut off after ${Buffer.concat(chunks).length} bytes, status ${incoming.statusCode}`,
      { cause: error },
    );
  }
  return new Answer(incoming.statusCode ?? 0, fieldsOf(incoming.headers), Buffer.concat(chunks));
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
