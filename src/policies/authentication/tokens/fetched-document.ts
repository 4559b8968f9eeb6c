import { once } from 'node:events';
import { request as requestClear, type IncomingMessage } from 'node:http';
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
  const body = await answerOf(url, signal, accept);
  const status = body.statusCode;
  if (status !== 200) {
    body.destroy();
    const message = `${what} was answered with status ${String(status)}`;
    throw status === NOT_FOUND ? new NotFound(message) : new PlainFault(message);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new PlainFault(`${what} is larger than ${String(MAX_BYTES)} bytes`);
    chunks.push(chunk);
  }
  const whole = await decodedContent(Buffer.concat(chunks), body.headers['content-encoding'], MAX_BYTES);
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

// Over a connection of its own: minutes pass until the next fetch.
async function answerOf(url: string, signal: AbortSignal, accept: string): Promise<IncomingMessage> {
  const request = url.startsWith('https:') ? requestSecure : requestClear;
  const headers = { accept, 'accept-encoding': 'identity' };
  const asking = request(url, { agent: false, signal, headers }).end();
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  // What is thrown away reports that as an error, and its request as well.
  asking.on('error', ignore);
  return answer.on('error', ignore);
}

function ignore(): void {
  // The loader has already failed with a better reason.
}
