import { once } from 'node:events';
import { request as send, type IncomingMessage } from 'node:http';
import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import { fieldsOf } from './received.ts';
import type { TestRequest } from './route-tests.schema.ts';

/** What the client got. */
export interface Answered {
  /** 0 where the connection ended without an answer. */
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** What was compressed is not any more. */
  readonly body: string;
}

const DECODERS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: gunzipSync,
  br: brotliDecompressSync,
  deflate: inflateSync,
  zstd: zstdDecompressSync,
};

/** Sends a request. @param credentials fields that prove who calls, where the request does not have them itself. */
export async function ask(
  url: string,
  { method, path, headers, body }: TestRequest,
  credentials: Readonly<Record<string, string>>,
): Promise<Answered> {
  const { hostname: host, port } = new URL(url);
  const content = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const own = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const cookie = [credentials['cookie'], own['cookie']].flat().filter((one) => one !== undefined);
  const fields = {
    host: 'localhost',
    ...(typeof body === 'object' && { 'content-type': 'application/json' }),
    ...(content !== undefined && { 'content-length': String(Buffer.byteLength(content)) }),
    ...credentials,
    ...own,
    ...(cookie.length > 0 && { cookie: cookie.join('; ') }),
  };
  const asking = send({ host, port, method, path, headers: fields, agent: false });
  try {
    const answered = once(asking, 'response') as Promise<[IncomingMessage]>;
    asking.end(content);
    const [answer] = await answered;
    return { status: answer.statusCode ?? 0, headers: fieldsOf(answer.headers), body: await bodyOf(answer) };
  } catch {
    // That the connection ends is something that may be expected.
    return { status: 0, headers: {}, body: '' };
  } finally {
    asking.destroy();
  }
}

async function bodyOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  } catch {
    // What came until it was cut off.
  }
  const bytes = Buffer.concat(chunks);
  const decode = DECODERS[String(answer.headers['content-encoding'])];
  return (decode === undefined || bytes.length === 0 ? bytes : decode(bytes)).toString();
}
