import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request as requestClear, type IncomingMessage } from 'node:http';
import { request as requestSecure } from 'node:https';
import { z } from 'zod';
import { decodedContent } from '../../exchange/content-coding.ts';
import { withoutMark } from '../../exchange/json-bytes.ts';
import { PlainFault } from '../../telemetry/error-facts.ts';
import { readJwk, type SigningKey } from './signing-key.ts';

/** Loads a key set; rejects when it cannot. */
export type JwksLoader = (stop: AbortSignal) => Promise<readonly SigningKey[]>;

const FETCH_TIMEOUT_MS = 5000;
const MAX_BYTES = 512 * 1024;
/** More keys than any issuer has: each one that is read blocks the loop for a moment. */
const MAX_KEYS = 100;

const jwksDocument = z.object({ keys: z.array(z.record(z.string(), z.unknown()).catch({})) });

/**
 * Returns a loader that fetches a key set by HTTP: 5 s in all, 512 KiB at most, decoded too, status 200 only. A redirect
 * is refused, because whoever controls its target would sign for the issuer.
 */
export function jwksFromUrl(url: string): JwksLoader {
  return async (stop) => {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(FETCH_TIMEOUT_MS)]);
    const body = await answerOf(url, signal);
    if (body.statusCode !== 200) {
      body.destroy();
      throw new PlainFault(`the key set was answered with status ${String(body.statusCode)}`);
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_BYTES) throw new PlainFault(`the key set is larger than ${String(MAX_BYTES)} bytes`);
      chunks.push(chunk);
    }
    const whole = await decodedContent(Buffer.concat(chunks), body.headers['content-encoding'], MAX_BYTES);
    return parseJwks(whole.toString());
  };
}

// Over a connection of its own: minutes pass until the next fetch.
async function answerOf(url: string, signal: AbortSignal): Promise<IncomingMessage> {
  const request = url.startsWith('https:') ? requestSecure : requestClear;
  const headers = { accept: 'application/jwk-set+json, application/json', 'accept-encoding': 'identity' };
  const asking = request(url, { agent: false, signal, headers }).end();
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  // What is thrown away reports that as an error, and its request as well.
  asking.on('error', ignore);
  return answer.on('error', ignore);
}

/** Returns a loader that reads a key set from a file. */
export function jwksFromFile(path: string): JwksLoader {
  return async (stop) => parseJwks(await readFile(path, { encoding: 'utf8', signal: stop }));
}

/**
 * Reads the text of a key set (RFC 7517 section 5) and keeps the keys that can check signatures, each once.
 *
 * @throws {Error} when the text is not a key set, or has more than 100 keys, whatever they are for: to take some of
 * them would be to guess which.
 */
export function parseJwks(text: string): readonly SigningKey[] {
  const document = jwksDocument.safeParse(parseJson(text));
  if (!document.success) throw new PlainFault('what came is not a key set');
  const { keys } = document.data;
  if (keys.length > MAX_KEYS)
    throw new PlainFault(`the key set has ${String(keys.length)} keys; at most ${String(MAX_KEYS)} are read`);
  const found = new Map<string, SigningKey>();
  for (const jwk of keys) {
    const key = readJwk(jwk);
    if (key !== undefined && !found.has(key.thumbprint)) found.set(key.thumbprint, key);
  }
  return [...found.values()];
}

// What is no JSON is quoted by the error of the parser; what is undefined is no key set either.
function parseJson(text: string): unknown {
  try {
    return JSON.parse(withoutMark(text));
  } catch {
    return undefined;
  }
}

function ignore(): void {
  // The loader has already failed with a better reason.
}
