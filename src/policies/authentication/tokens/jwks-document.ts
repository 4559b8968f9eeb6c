import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { PlainFault } from '../../../telemetry/error-facts.ts';
import { fetchDocument, parseJson } from './fetched-document.ts';
import { readJwk, type SigningKey } from './signing-key.ts';

/** Loads a key set; rejects when it cannot. */
export type JwksLoader = (stop: AbortSignal) => Promise<readonly SigningKey[]>;

/** More keys than any issuer has: each one that is read blocks the loop for a moment. */
const MAX_KEYS = 100;

const jwksDocument = z.object({ keys: z.array(z.record(z.string(), z.unknown()).catch({})) });

/** Returns a loader that fetches a key set by HTTP, see {@link fetchDocument}. */
export function jwksFromUrl(url: string): JwksLoader {
  return async (stop) => parseJwks(await fetchDocument(url, stop, WORDS));
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

const WORDS = { what: 'the key set', accept: 'application/jwk-set+json, application/json' };
