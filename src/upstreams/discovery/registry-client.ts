import {
  request as requestHttp,
  Agent as HttpAgent,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { request as requestHttps, Agent as HttpsAgent } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import { Unknown } from './discovery-source.ts';

/** One request to a registry. */
export interface RegistryRequest {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long until the head of the answer, in ms. */
  readonly headMs: number;
  readonly signal: AbortSignal;
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

/** Asks registries over HTTP/1.1: few, long questions over connections that notice when the other side is gone. */
export class RegistryClient {
  readonly #http = new HttpAgent({ keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS });
  readonly #https: HttpsAgent;

  constructor(tls: RegistryTls = {}) {
    this.#https = new HttpsAgent({ ...tls, keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS });
  }

  /** @throws {Unknown} when there is no answer. @returns it with its body still to come. */
  ask({ url, headers, headMs, signal }: RegistryRequest): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const isSecure = url.protocol === 'https:';
      const agent = isSecure ? this.#https : this.#http;
      const options: RequestOptions = { agent, headers: { accept: 'application/json', ...headers }, signal };
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
      request.end();
    });
  }

  /** Closes all connections. */
  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}

/** Reads a whole body as JSON. @throws {Unknown} when it is too large, breaks off, stands still or is none. */
export async function jsonOf(answer: IncomingMessage, maxBytes: number): Promise<unknown> {
  const text = await textOf(answer, maxBytes);
  try {
    return JSON.parse(text);
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
  const said = await textOf(answer, 64 * 1024).catch(() => '');
  const quoted = said
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

async function textOf(answer: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const timer = setTimeout(
    () => answer.destroy(new Unknown('the answer of the registry stands still')),
    BODY_IDLE_MS,
  );
  timer.unref();
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
  }
  return Buffer.concat(chunks).toString('utf8');
}

function retryAfterMs(field: string | undefined): number {
  if (field === undefined || !/^\d{1,6}$/.test(field)) return 0;
  return Math.min(Number(field) * 1000, MAX_RETRY_AFTER_MS);
}
