import type { OutgoingHttpHeaders } from 'node:http';
import { removeCookie } from '../exchange/cookie-field.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { foldName } from '../exchange/reserved-names.ts';
import type { HeaderEdits } from '../policies/transform/header-edits.ts';
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
 * Adds to the metadata of a call, names and values in turn, what the list lets through of the client's header fields, and
 * what the `transform` policy sets. A name that ends in `-bin` carries base64.
 *
 * @throws {Problem} `request-malformed` for a value that metadata cannot carry.
 */
export function addRequestMetadata(fields: string[], names: readonly string[], exchange: Exchange): void {
  const edits = exchange.headerEdits;
  for (const name of names) {
    const value = name === 'cookie' ? passedCookies(exchange) : exchange.request.headers[name];
    // An API key is a secret between the client and the gateway.
    if (typeof value !== 'string' || APIKEY.test(value)) continue;
    if (exchange.vouched?.folded.has(foldName(name)) === true) continue;
    if (exchange.snapshot?.own.names.has(foldName(name)) === true) continue;
    const renamed = edits?.renames?.get(name);
    if (renamed === undefined && edits?.folded.has(foldName(name)) === true) continue;
    if (renamed === undefined || mayPass(renamed)) set(fields, renamed ?? name, value);
  }
  addVouched(fields, exchange);
  if (edits !== undefined) addOwn(fields, edits);
}

/** The cookies of the client without those that are between it and the gateway. */
function passedCookies({ request, snapshot }: Exchange): string | undefined {
  const { cookie } = request.headers;
  if (cookie === undefined || snapshot === undefined) return cookie;
  const fields = ['cookie', cookie];
  for (const name of snapshot.own.cookies) removeCookie(fields, name);
  return fields[1];
}

function addVouched(fields: string[], { vouched }: Exchange): void {
  const said = vouched?.fields ?? [];
  for (let i = 0; i < said.length; i += 2)
    if (mayPass(said[i] as string)) set(fields, said[i] as string, said[i + 1] as string);
}

function addOwn(fields: string[], { set: own, add }: HeaderEdits): void {
  for (let i = 0; i < own.length; i += 2) {
    if (mayPass(own[i] as string)) set(fields, own[i] as string, own[i + 1] as string);
  }
  for (let i = 0; i < add.length; i += 2) {
    if (mayPass(add[i] as string))
      fields.push(add[i] as string, spelled(add[i] as string, add[i + 1] as string));
  }
}

function set(fields: string[], name: string, value: string): void {
  const text = spelled(name, value);
  // The last word counts, not the first.
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] !== name) continue;
    fields[i + 1] = text;
    return;
  }
  fields.push(name, text);
}

function spelled(name: string, value: string): string {
  // In one spelling, whatever the client's base64 looks like.
  const text = name.endsWith('-bin') ? Buffer.from(value, 'base64').toString('base64') : value;
  if (!PRINTABLE.test(text)) throw new Problem('request-malformed');
  return text;
}

/**
 * Adds to a flat list of header fields what the list lets through of an answer's metadata.
 *
 * @param metadata as fields of HTTP/2: bytes are base64, and several values are a list or joined by commas.
 */
export function addResponseHeaders(
  headers: string[],
  names: readonly string[],
  metadata: OutgoingHttpHeaders,
): void {
  for (const name of names) {
    for (const text of valuesOf(name, metadata[name])) {
      // Fails closed: what could end a header line is left out.
      if (PRINTABLE.test(text)) headers.push(name, text);
    }
  }
}

function valuesOf(name: string, value: OutgoingHttpHeaders[string]): readonly string[] {
  if (value === undefined) return NONE;
  const values = typeof value === 'object' ? value : [String(value)];
  if (!name.endsWith('-bin')) return values;
  // No base64 has a comma; both alphabets and missing padding become one spelling.
  return values
    .flatMap((text) => text.split(','))
    .map((text) => Buffer.from(text, 'base64').toString('base64'));
}

const NONE: readonly string[] = Object.freeze([]);
