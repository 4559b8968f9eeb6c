import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { withoutMark } from '../../../exchange/json-bytes.ts';

/** The SHA-256 of a text in lower-case hex. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * Reads the documents that were checked in with the clients: a JSON file `{ "<sha256>": "<document>" }` as the
 * code generators of clients write it, or a folder of `.graphql` files.
 *
 * @returns texts by hash.
 * @throws {Error} naming file and entry when a hash is not that of its text: whoever trusts the list must be
 * able to trust each entry.
 */
export async function readTrustedDocuments(path: string): Promise<ReadonlyMap<string, string>> {
  const place = `graphql.trustedDocuments.path: ${path}`;
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new Error(`${place}: there is no such file or folder`);
  return found.isDirectory() ? readFolder(path) : readManifest(place, await readFile(path, 'utf8'));
}

async function readFolder(path: string): Promise<ReadonlyMap<string, string>> {
  const files = (await readdir(path, { recursive: true })).filter((name) => /\.(graphql|gql)$/.test(name));
  const texts = await Promise.all(files.sort().map((name) => readFile(join(path, name), 'utf8')));
  return new Map(texts.map((text) => [sha256(text), text]));
}

function readManifest(place: string, json: string): ReadonlyMap<string, string> {
  let manifest: unknown;
  try {
    manifest = JSON.parse(withoutMark(json));
  } catch (error) {
    throw new Error(`${place}: is no JSON: ${(error as Error).message}`, { cause: error });
  }
  if (typeof manifest !== 'object' || manifest === null || Array.isArray(manifest))
    throw new Error(`${place}: expected an object { "<sha256>": "<document>" }`);
  return new Map(Object.entries(manifest).map(([key, text]) => entryOf(place, key, text)));
}

function entryOf(place: string, key: string, text: unknown): [string, string] {
  if (typeof text !== 'string') throw new Error(`${place}: ${key}: expected the text of a document`);
  const hash = sha256(text);
  if (key.replace(/^sha256:/, '').toLowerCase() !== hash)
    throw new Error(`${place}: ${key}: is not the SHA-256 of its document, which is ${hash}`);
  return [hash, text];
}
