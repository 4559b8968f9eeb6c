import type { Metadata } from '@grpc/grpc-js';
import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { isKept } from '../upstreams/http/field-names.ts';

/** Names of metadata that pass from one side to the other; lower-case. */
export interface MetadataRules {
  readonly request: readonly string[];
  readonly response: readonly string[];
}

const NAME = /^[a-z0-9_.-]+$/;
const PRINTABLE = /^[ -~]*$/;
const APIKEY = /^apikey\s/i;

/** Fields that the transport says for itself, and no list can hand over. */
const OWNED = new Set([
  'content-type',
  'content-length',
  'content-encoding',
  'accept-encoding',
  'user-agent',
]);

/**
 * Whether a list may name this metadata. Identity and the gateway's own fields are always the gateway's to say, in every
 * spelling; what services may take for its word (`remote-user`) passes only because it is named.
 */
export function mayPass(name: string): boolean {
  const isReserved =
    OWNED.has(name) || name.startsWith('grpc-') || name.startsWith('sec-websocket-') || isKept(name);
  return NAME.test(name) && !isReserved;
}

/**
 * Adds to the metadata of a call what the list lets through of the client's header fields, and what the
 * `transform` policy sets. A name that ends in `-bin` carries base64.
 *
 * @throws {Problem} `request-malformed` for a value that metadata cannot carry.
 */
export function addRequestMetadata(metadata: Metadata, names: readonly string[], exchange: Exchange): void {
  const edits = exchange.headerEdits;
  for (const name of names) {
    const value = exchange.request.headers[name];
    // An API key is a secret between the client and the gateway.
    if (typeof value !== 'string' || edits?.drop.has(name) || APIKEY.test(value)) continue;
    set(metadata, name, value);
  }
  const own = edits?.set ?? [];
  for (let i = 0; i < own.length; i += 2) {
    if (mayPass(own[i] as string)) set(metadata, own[i] as string, own[i + 1] as string);
  }
}

function set(metadata: Metadata, name: string, value: string): void {
  if (name.endsWith('-bin')) metadata.set(name, Buffer.from(value, 'base64'));
  else if (PRINTABLE.test(value)) metadata.set(name, value);
  else throw new Problem('request-malformed');
}

/** Adds to a flat list of header fields what the list lets through of an answer's metadata. */
export function addResponseHeaders(headers: string[], names: readonly string[], metadata: Metadata): void {
  for (const name of names) {
    for (const value of metadata.get(name)) {
      const text = typeof value === 'string' ? value : value.toString('base64');
      // Fails closed: what could end a header line is left out.
      if (PRINTABLE.test(text)) headers.push(name, text);
    }
  }
}
