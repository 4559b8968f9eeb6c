import {
  request as requestHttp,
  Agent as HttpAgent,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { request as requestHttps, Agent as HttpsAgent } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import { Unknown } from './discovery-source.ts';
import { jsonWeight, MAX_WEIGHT } from './json-weight.ts';

/** One request to a registry. */
export interface RegistryRequest {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long until the head of the answer, in ms. */
  readonly headMs: number;
  readonly signal: AbortSignal;
  /** What is to be changed. Default nothing: it is a GET. */
  readonly content?: { readonly method: string; readonly body: string; readonly type: string } | undefined;
}

/** TLS to a registry. */
export interface RegistryTls extends Pick<
  SecureContextOptions,
  'ca' | 'cert' | 'key' | 'pfx' | 'passphrase'
> {
  readonly rejectUnauthorized?: boolean | undefined;
  readonly servername?: string | undefined;
}

const KEEP_ALIVE_MS = 30_000;
const MAX_RETRY_AFTER_MS = 300_000;
const MAX_QUOTED = 200;
/** A body trickles for no longer than this between two pieces of it. */
const BODY_IDLE_MS = 10_000;
/** And for no longer than this in all: until then nobody would hear that the registry is ill. */
const BODY_MS = 60_000;

/** Asks registries over HTTP/1.1: few, long questions over connections that notice when the other side is gone. */
export class RegistryClient {
  readonly #http = new HttpAgent({ keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS });
  readonly #https: HttpsAgent;

  constructor(tls: RegistryTls = {}) {
    this.#https = new HttpsAgent({ ...tls, keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS });
  }

  /** @throws {Unknown} when there is no answer. @returns it with its body still to come. */
  ask({ url, headers, headMs, signal, content }: RegistryRequest): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const isSecure = url.protocol === 'https:';
      const agent = isSecure ? this.#https : this.#http;
      const fields = { accept: 'application/json', ...(content && describing(content)), ...headers };
      const options: RequestOptions = { agent, method: content?.method ?? 'GET', headers: fields, signal };
      const request = (isSecure ? requestHttps : requestHttp)(url, options);
      const timer = setTimeout(() => request.destroy(new Unknown('no answer in time')), headMs).unref();
      request.once('socket', (socket) => socket.setKeepAlive(true, KEEP_ALIVE_MS));
      request.once('error', (error) => {
        clearTimeout(timer);
        reject(asUnknown(error));
      });
      request.once('response', (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      request.end(content?.body);
    });
  }

  /** Closes all connections that nobody uses. */
  retire(): void {
    for (const { freeSockets } of [this.#http, this.#https])
      for (const sockets of Object.values(freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }

  /** Closes all connections. */
  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}

function describing({ body, type }: NonNullable<RegistryRequest['content']>): Record<string, string> {
  return { 'content-type': type, 'content-length': String(Buffer.byteLength(body)) };
}

/** Most bytes of an answer; ten thousand instances of Consul with their checks fit into it. */
const MAX_BYTES = 32 * 1024 * 1024;

/** What a registry said, and what it weighs. */
export interface RegistryJson {
  readonly value: unknown;
  /** See {@link jsonWeight}. */
  readonly weight: number;
}

/**
 * Reads a whole body as JSON.
 *
 * @param maxWeight what it may weigh at most.
 * @throws {Unknown} when it is too large, breaks off, stands still or is none.
 */
export async function jsonOf(answer: IncomingMessage, maxWeight = MAX_WEIGHT): Promise<RegistryJson> {
  const bytes = await bytesOf(answer, MAX_BYTES);
  const weight = jsonWeight(bytes);
  if (weight > maxWeight) throw new Unknown('the answer of the registry has too many parts');
  try {
    return { value: JSON.parse(bytes.toString('utf8')), weight };
  } catch (error) {
    throw new Unknown('the registry answered with something that is no JSON', { cause: error });
  }
}

/**
 * Why an answer that is none was given: its status and the beginning of what it says. The rest of the body is not read.
 *
 * @param hint for the operator.
 */
export async function refusalOf(answer: IncomingMessage, hint = ''): Promise<Unknown> {
  const said = await bytesOf(answer, 64 * 1024).catch(() => Buffer.alloc(0));
  const quoted = said
    .toString('utf8')
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, MAX_QUOTED);
  const message = `the registry answered ${answer.statusCode ?? 0}${quoted && `: ${quoted}`}${hint && ` (${hint})`}`;
  return new Unknown(message, { afterMs: retryAfterMs(answer.headers['retry-after']) });
}

/** Says of any error that nothing is known. */
export function asUnknown(error: unknown): Unknown {
  if (error instanceof Unknown) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new Unknown(`the registry cannot be reached: ${code ?? message}`, { cause: error });
}

async function bytesOf(answer: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const timer = setTimeout(
    () => answer.destroy(new Unknown('the answer of the registry stands still')),
    BODY_IDLE_MS,
  );
  timer.unref();
  const end = setTimeout(
    () => answer.destroy(new Unknown('the answer of the registry takes too long')),
    BODY_MS,
  );
  end.unref();
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      timer.refresh();
      bytes += chunk.length;
      if (bytes > maxBytes) throw new Unknown(`the answer of the registry is larger than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw asUnknown(error);
  } finally {
    clearTimeout(timer);
    clearTimeout(end);
  }
  return Buffer.concat(chunks);
}

function retryAfterMs(field: string | undefined): number {
  if (field === undefined || !/^\d{1,6}$/.test(field)) return 0;
  return Math.min(Number(field) * 1000, MAX_RETRY_AFTER_MS);
}
