import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** An answer as it stood on the wire, chunks put together. */
export interface RawAnswer {
  readonly status: number;
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** What is written and how much is awaited. */
export interface RawExchange {
  /** Written one after the other, each as a write of its own. */
  readonly pieces: readonly Buffer[];
  /** How many final answers to wait for; a connection that ends sooner ends the wait. Default 1. */
  readonly answers?: number;
  /** An answer to HEAD has no body, whatever its length says. */
  readonly head?: boolean;
}

/** Writes bytes to a gateway, untouched by any client's idea of a request, and reads whole answers. */
export async function rawAnswers(url: string, exchange: RawExchange): Promise<readonly RawAnswer[]> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const { promise, resolve, reject } = Promise.withResolvers<readonly RawAnswer[]>();
  const timer = setTimeout(
    () => reject(new Error(`no whole answer; heard: ${heard.toString('latin1')}`)),
    10_000,
  );
  let heard = Buffer.alloc(0);
  const look = (ended: boolean): void => {
    const found = parseAnswers(heard, exchange.head ?? false, ended);
    if (ended || found.length >= (exchange.answers ?? 1)) resolve(found);
  };
  socket.on('data', (chunk: Buffer) => {
    heard = Buffer.concat([heard, chunk]);
    look(false);
  });
  socket.once('error', () => look(true)).once('close', () => look(true));
  for (const [index, piece] of exchange.pieces.entries()) {
    if (index > 0) await sleep(10);
    if (!socket.destroyed) socket.write(piece);
  }
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}

/** The final answers that stand whole in what was heard. */
export function parseAnswers(bytes: Buffer, head: boolean, ended: boolean): readonly RawAnswer[] {
  const found: RawAnswer[] = [];
  for (let rest = bytes; ;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return found;
    const [first = '', ...lines] = rest.subarray(0, end).toString('latin1').split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1] ?? 0);
    const rawHeaders = lines.flatMap((line) => [
      line.slice(0, line.indexOf(':')),
      line.slice(line.indexOf(':') + 1).trim(),
    ]);
    const bare = head || status < 200 || status === 204 || status === 304;
    const body = bare
      ? { body: Buffer.alloc(0), size: 0 }
      : readBody(rest.subarray(end + 4), rawHeaders, ended);
    if (body === undefined) return found;
    rest = rest.subarray(end + 4 + body.size);
    if (status >= 200 || status === 101 || status === 0) found.push({ status, rawHeaders, body: body.body });
  }
}

interface Body {
  readonly body: Buffer;
  /** On the wire. */
  readonly size: number;
}

function readBody(bytes: Buffer, rawHeaders: readonly string[], ended: boolean): Body | undefined {
  const value = (name: string) =>
    rawHeaders[rawHeaders.findIndex((one, at) => at % 2 === 0 && one.toLowerCase() === name) + 1];
  if (rawHeaders.some((one, at) => at % 2 === 0 && one.toLowerCase() === 'transfer-encoding'))
    return readChunks(bytes);
  if (rawHeaders.some((one, at) => at % 2 === 0 && one.toLowerCase() === 'content-length')) {
    const length = Number(value('content-length'));
    return bytes.length < length ? undefined : { body: bytes.subarray(0, length), size: length };
  }
  return ended ? { body: bytes, size: bytes.length } : undefined;
}

function readChunks(bytes: Buffer): Body | undefined {
  const chunks: Buffer[] = [];
  for (let at = 0; ;) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(bytes.subarray(at, line).toString('latin1'), 16);
    if (size === 0) {
      const end = bytes.indexOf('\r\n\r\n', at);
      return end < 0 ? undefined : { body: Buffer.concat(chunks), size: end + 4 };
    }
    if (bytes.length < line + 4 + size) return undefined;
    chunks.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 4 + size;
  }
}
