import type { IncomingMessage } from 'node:http';
import { QuerySpellings } from '../exchange/query-spellings.ts';

/** Where a request says which version of an API it means. */
export type VersionPlace =
  | { readonly header: string }
  | { readonly query: string }
  /** A parameter of the media types of `Accept`, or of the `Content-Type` where those say nothing. */
  | { readonly mediaType: string };

/** Reads the version that a request names; undefined for none. What is said twice is no version that anybody has. */
export type ReadVersion = (request: IncomingMessage) => string | undefined;

const RANGES = /(?:[^,"]|"(?:[^"\\]|\\.)*")+/g;
const PARAMETERS = /;\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=("(?:[^"\\]|\\.)*"|[^\s;,"]*)/g;

/** Compiles where the version stands. */
export function compileVersionReader(place: VersionPlace): ReadVersion {
  if ('header' in place) {
    const name = place.header.toLowerCase();
    return ({ headers }) => (headers[name] === undefined ? undefined : String(headers[name]).trim());
  }
  if ('query' in place) return ({ url = '' }) => queryValue(url, place.query);
  const name = place.mediaType.toLowerCase();
  return ({ headers }) =>
    mediaTypeVersion(headers.accept, name) ?? mediaTypeVersion(headers['content-type'], name);
}

/** The field of the request that an answer depends on; undefined for one that is part of the address. */
export function variesBy(place: VersionPlace): string | undefined {
  if ('header' in place) return place.header.toLowerCase();
  return 'query' in place ? undefined : 'accept';
}

function queryValue(url: string, name: string): string | undefined {
  const start = url.indexOf('?');
  if (start < 0) return undefined;
  const query = new URLSearchParams(url.slice(start));
  const values = query.getAll(name);
  // Another spelling that servers may read as the name counts as another value.
  if (new QuerySpellings(query.keys()).haveOther(name)) values.push('');
  return values.length === 0 ? undefined : values.join(', ');
}

/** The version of the media range that is liked best, and of equal ones of the first (RFC 9110 section 12.5.1). */
function mediaTypeVersion(field: string | undefined, name: string): string | undefined {
  if (field === undefined) return undefined;
  let found: string | undefined;
  let best = 0;
  for (const [range] of field.matchAll(RANGES)) {
    let version: string | undefined;
    let weight = 1;
    for (const [, key = '', value = ''] of range.matchAll(PARAMETERS)) {
      if (key.toLowerCase() === name) version = joined(version, unquoted(value));
      else if (key.toLowerCase() === 'q') weight = Number(value);
    }
    if (version === undefined || !(weight > best)) continue;
    best = weight;
    found = version;
  }
  return found;
}

// As `node:http` and the query do: a list is the name of no version.
function joined(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before}, ${value}`;
}

function unquoted(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
}
