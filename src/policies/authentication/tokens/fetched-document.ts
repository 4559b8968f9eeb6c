import { once } from 'node:events';
import {
  request as requestClear,
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { request as requestSecure } from 'node:https';
import { decodedContent } from '../../../exchange/content-coding.ts';
import { withoutMark } from '../../../exchange/json-bytes.ts';
import { PlainFault } from '../../../telemetry/error-facts.ts';

const FETCH_TIMEOUT_MS = 5000;
const MAX_BYTES = 512 * 1024;
const NOT_FOUND = 404;

/** The issuer has no such document. */
export class NotFound extends PlainFault {}

/** What is fetched, in words for the log, and which media types it may have. */
export interface DocumentWords {
  readonly what: string;
  readonly accept: string;
}

/**
 * Fetches a document of an issuer by HTTP: 5 s in all, 512 KiB at most, decoded too, status 200 only. A redirect is refused,
 * because whoever controls its target would speak for the issuer.
 *
 * @throws {NotFound} for 404; {PlainFault} for any other answer.
 */
export async function fetchDocument(
  url: string,
  stop: AbortSignal,
  { what, accept }: DocumentWords,
): Promise<string> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(FETCH_TIMEOUT_MS)]);
  // Over a connection of its own: minutes pass until the next fetch.
  const headers = { accept, 'accept-encoding': 'identity' };
  const body = await answerOf(send(url, { agent: false, signal, headers }));
  const status = body.statusCode;
  if (status !== 200) {
    body.destroy();
    const message = `${what} was answered with status ${String(status)}`;
    throw status === NOT_FOUND ? new NotFound(message) : new PlainFault(message);
  }
  return wholeText(body, what, MAX_BYTES);
}

/**
 * Reads the body of an answer.
 *
 * @param maxBytes how large it may be, decoded too.
 * @throws {PlainFault} for a larger one, and for one that ends early.
 */
export async function wholeText(body: IncomingMessage, what: string, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new PlainFault(`${what} is larger than ${String(maxBytes)} bytes`);
    chunks.push(chunk);
  }
  const whole = await decodedContent(Buffer.concat(chunks), body.headers['content-encoding'], maxBytes);
  return whole.toString();
}

/** Reads JSON; undefined for what is none, because the error of the parser would quote it. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(withoutMark(text));
  } catch {
    return undefined;
  }
}

/** Sends a request whose body, if there is one, is a text. */
export function send(url: string, options: RequestOptions, body?: string): ClientRequest {
  const request = url.startsWith('https:') ? requestSecure : requestClear;
  return request(url, options).end(body);
}

/** The head of the answer to a request; its body is still to be read. Rejects with the error of the connection. */
export async function answerOf(asking: ClientRequest): Promise<IncomingMessage> {
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  // What is thrown away reports that as an error, and its request as well.
  asking.on('error', ignore);
  return answer.on('error', ignore);
}

function ignore(): void {
  // The loader has already failed with a better reason.
}
