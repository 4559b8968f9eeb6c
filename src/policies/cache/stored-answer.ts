import type { Answer, Exchange } from '../../exchange/exchange.ts';
import type { Coding } from '../compression/accept-encoding.ts';
import { lengthOf, type Entry } from './entry.ts';
import { byteRangeOf, isInRange, isKnownToClient, type ByteRange } from './http-conditions.ts';
import { codedFields, plainBody, takesCoded } from './stored-coding.ts';

/** How what is stored comes to answer. */
export interface Served {
  readonly verdict: 'HIT' | 'STALE' | 'REVALIDATED';
  /** What `Cache-Status` says. */
  readonly status: string;
  /** The codings that the route offers its clients; undefined for none. */
  readonly codings?: readonly Coding[] | undefined;
}

const OK = 200;
const PARTIAL = 206;
const NOT_MODIFIED = 304;
const UNSATISFIABLE = 416;
const NOTHING = Buffer.alloc(0);

/** Fields that a 304 has (RFC 9110 section 15.4.5), and what a client that knows no tags goes by. */
const OF_NOT_MODIFIED: ReadonlySet<string> = new Set([
  'cache-control', 'content-location', 'date', 'etag', 'expires', 'last-modified', 'vary',
]); // prettier-ignore

/**
 * What a request is answered with from the store: 304 for what the client has, a range of it, or all of it; with its `Age`,
 * and what the cache did.
 */
export function storedAnswer(entry: Entry, exchange: Exchange, served: Served): Answer {
  const { answer } = entry;
  const own = ownFields(entry, served);
  if (answer.status !== OK) return whole(entry, exchange, own);
  const { headers } = exchange.request;
  if (isKnownToClient(headers, answer.headers)) {
    const fields = answer.headers.filter((_, i) => OF_NOT_MODIFIED.has(nameAt(answer.headers, i)));
    return { status: NOT_MODIFIED, headers: [...fields, ...own], body: NOTHING };
  }
  const { range } = headers;
  const isPart = range !== undefined && exchange.method === 'GET' && !isEdited(exchange);
  const part =
    isPart && isInRange(headers['if-range'] as string | undefined, answer.headers)
      ? byteRangeOf(range, lengthOf(entry))
      : undefined;
  if (part !== undefined) return partOf(entry, part, own);
  const { coded } = entry;
  if (coded === undefined || isEdited(exchange) || !takesCoded(exchange.request, coded, served.codings))
    return whole(entry, exchange, own);
  const fields = codedFields(answer.headers, coded.coding, answer.body.length);
  return { status: OK, headers: [...fields, ...own], body: answer.body };
}

function whole(entry: Entry, { method }: Exchange, own: readonly string[]): Answer {
  const { answer, lines } = entry;
  const headers = [...answer.headers, ...own];
  const body = plainBody(entry, method);
  if (lines === undefined) return { ...answer, headers, body };
  let text = lines;
  for (let i = 0; i < own.length; i += 2) text += `\r\n${own[i]}: ${own[i + 1]}`;
  return { status: answer.status, headers, body, lines: text };
}

function partOf(entry: Entry, part: ByteRange | 'outside', own: readonly string[]): Answer {
  const { answer } = entry;
  const length = lengthOf(entry);
  if (part === 'outside')
    return { status: UNSATISFIABLE, headers: ['content-range', `bytes */${length}`, ...own], body: NOTHING };
  const { first, last } = part;
  const fields = answer.headers.filter((_, i) => nameAt(answer.headers, i) !== 'content-length');
  fields.push(
    'content-range',
    `bytes ${first}-${last}/${length}`,
    'content-length',
    String(last - first + 1),
  );
  // Of the answer as it came, which is what its strong tag is of.
  const body = plainBody(entry, 'GET').subarray(first, last + 1);
  return { status: PARTIAL, headers: [...fields, ...own], body };
}

// Fails closed: a part of what a stage masks on the way out could not be masked.
function isEdited({ route }: Exchange): boolean {
  return route?.leaving.some((stage) => stage.body !== undefined) === true;
}

function ownFields({ storedAt }: Entry, { verdict, status }: Served): readonly string[] {
  const age = String(Math.max(0, Math.floor((Date.now() - storedAt) / 1000)));
  return ['age', age, 'x-cache', verdict, 'cache-status', status];
}

function nameAt(headers: readonly string[], index: number): string {
  return (headers[index - (index % 2)] as string).toLowerCase();
}
