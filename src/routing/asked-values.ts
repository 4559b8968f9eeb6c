import type { IncomingMessage } from 'node:http';
import type { Exchange } from '../exchange/exchange.ts';
import { connectionOf } from '../exchange/client-connection.ts';
import { QuerySpellings } from '../exchange/query-spellings.ts';
import { KEPT_ONCE, repeatedFields } from '../exchange/single-fields.ts';
import type { ValuePlace } from './conditions.ts';

/** What stands where several values do. */
const SEVERAL = Symbol('several');

/** What values are read of. */
type Asked = Pick<Exchange, 'request' | 'query'> & Partial<Pick<Exchange, 'path'>>;

type Values = ReadonlyMap<string, string | typeof SEVERAL>;

/**
 * The values of one request that routes can ask for; query and cookies are read when the first route does. A name that
 * stands there several times, or in several spellings such as `q` and `q[]`, has no value: two servers could read different
 * ones (fails closed), but it is there.
 */
export class AskedValues {
  readonly #asked: Asked;
  #query: Values | undefined = undefined;
  #cookies: Values | undefined = undefined;
  #spellings: QuerySpellings | undefined = undefined;

  constructor(asked: Asked) {
    this.#asked = asked;
  }

  /** The one value of a name; a list of several in one header field is one. */
  only(place: ValuePlace, name: string): string | undefined {
    if (place === 'header') return this.#field(name);
    if (place === 'port') return portOf(this.#asked.request);
    if (place === 'path') return this.#asked.path;
    const value = this.#valuesOf(place).get(name);
    if (typeof value !== 'string') return undefined;
    return place === 'query' && this.#isSpelledOtherwise(name) ? undefined : value;
  }

  /** Whether the name is there, in whatever spelling. */
  has(place: ValuePlace, name: string): boolean {
    if (place === 'port' || place === 'path') return this.only(place, name) !== undefined;
    if (place !== 'header')
      return this.#valuesOf(place).has(name) || (place === 'query' && this.#isSpelledOtherwise(name));
    // Not by its type alone: an object of fields has names that nobody sent.
    const value = this.#asked.request.headers[name];
    return typeof value === 'string' || Array.isArray(value);
  }

  #field(name: string): string | undefined {
    const { headers, rawHeaders } = this.#asked.request;
    const value = headers[name];
    if (typeof value !== 'string' || !KEPT_ONCE.has(name))
      return typeof value === 'string' ? value : undefined;
    return repeatedFields(rawHeaders, new Set([name])) ? undefined : value;
  }

  #isSpelledOtherwise(name: string): boolean {
    return (this.#spellings ??= new QuerySpellings(this.#valuesOf('query').keys())).haveOther(name);
  }

  #valuesOf(place: 'query' | 'cookie'): Values {
    if (place === 'query') return (this.#query ??= readQuery(this.#asked.query));
    return (this.#cookies ??= readCookies(this.#asked.request.headers.cookie));
  }
}

/** The port that the connection of a request came to; undefined once it is gone, and of requests that nobody has sent. */
function portOf({ socket }: Partial<Pick<IncomingMessage, 'socket'>>): string | undefined {
  if (socket === undefined) return undefined;
  const port = connectionOf(socket)?.listener.port ?? socket.localPort;
  return port === undefined ? undefined : String(port);
}

/** Reads a query (with its `?`) as forms are: pairs between `&`, `+` for a blank, percent-decoded. */
export function readQuery(query: string): Values {
  return collect(query.slice(1).split('&'), (pair) => {
    if (pair === '') return undefined;
    const end = pair.indexOf('=');
    return end < 0 ? [decode(pair), ''] : [decode(pair.slice(0, end)), decode(pair.slice(end + 1))];
  });
}

/** Reads the pairs of a `Cookie` field (RFC 6265 section 5.4); values are as they came. */
export function readCookies(field: string | undefined): Values {
  return collect((field ?? '').split(';'), (pair) => {
    const end = pair.indexOf('=');
    return end < 0 ? undefined : [pair.slice(0, end).trim(), pair.slice(end + 1).trim()];
  });
}

function collect(parts: readonly string[], read: (part: string) => [string, string] | undefined): Values {
  const values = new Map<string, string | typeof SEVERAL>();
  for (const part of parts) {
    const pair = read(part);
    if (pair !== undefined) values.set(pair[0], values.has(pair[0]) ? SEVERAL : pair[1]);
  }
  return values;
}

function decode(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    // No UTF-8: it stays what it is, and equals nothing that a route could have said.
    return spaced;
  }
}
