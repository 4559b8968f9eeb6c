import type { Exchange } from '../../exchange/exchange.ts';
import { fieldOf } from '../../exchange/field-list.ts';
import type { Entry } from './entry.ts';
import { sameTag } from './http-conditions.ts';

/** ETags of other variants that are asked about, and what they take in all. */
const MOST_OTHERS = 8;
const LONGEST_OTHERS = 1024;

/** What the upstream is asked whether it still holds (RFC 9111 section 4.3.1). */
export interface Validation {
  /** Flat list: the fields that ask. */
  readonly fields: readonly string[];
  /** What is stored for this request; undefined where only others of its key are. */
  readonly entry: Entry | undefined;
  /** What is stored under the same key for other requests, and would do if the upstream says so. */
  readonly others: readonly Entry[];
}

/**
 * What an upstream is asked about: what is stored for the request, and by their strong ETags what is stored for others of the
 * same key. A weak one does not tell codings apart, so that of another variant is never named.
 *
 * @param others of the key, the newest first.
 * @returns undefined where there is nothing to ask by.
 */
export function validationOf(
  exchange: Exchange,
  entry: Entry | undefined,
  others: readonly Entry[],
): Validation | undefined {
  // The conditions of a HEAD are its client's.
  if (exchange.method === 'HEAD') return undefined;
  // A handler hears nothing of ours: what it says of conditions it says of its client's.
  if (exchange.route?.door === 'handler') return undefined;
  const own = entry?.validators ?? [];
  const tag = fieldOf(own, 'if-none-match');
  // With a tag beside it, upstreams would not look at the date that is all that they know this one by.
  const mayNameOthers = entry === undefined ? !hasConditions(exchange) : tag !== undefined;
  const named = mayNameOthers ? namable(exchange, others, tag) : [];
  if (named.length === 0) return own.length === 0 ? undefined : { fields: own, entry, others: named };
  const tags = named.map(tagOf);
  const list = (tag === undefined ? tags : [tag, ...tags]).join(', ');
  const modified = fieldOf(own, 'if-modified-since');
  const dates = modified === undefined ? [] : ['if-modified-since', modified];
  return { fields: ['if-none-match', list, ...dates], entry, others: named };
}

/**
 * What an answer of 304 says still holds (RFC 9111 section 4.3.4): of others what has its strong ETag, else what is stored for
 * the request; or, where only one was asked about, that one.
 *
 * @returns undefined where it does not say which.
 */
export function selectedBy({ entry, others }: Validation, headers: readonly string[]): Entry | undefined {
  const tag = fieldOf(headers, 'etag');
  if (entry !== undefined && (tag === undefined || sameTag(tag, tagOf(entry)))) return entry;
  const named = tag === undefined ? undefined : others.find((one) => tagOf(one) === tag);
  if (named !== undefined || entry !== undefined) return named ?? entry;
  return tag === undefined && others.length === 1 ? others[0] : undefined;
}

function tagOf({ validators }: Entry): string {
  return fieldOf(validators, 'if-none-match') ?? '';
}

// Each is another answer, which this client can read.
function namable(exchange: Exchange, others: readonly Entry[], own: string | undefined): readonly Entry[] {
  const tags = new Set([own]);
  let left = LONGEST_OTHERS;
  return others.filter((one) => {
    const tag = tagOf(one);
    if (tag === '' || tag.startsWith('W/') || tags.has(tag) || !canRead(exchange, one)) return false;
    left -= tag.length;
    tags.add(tag);
    return left >= 0 && tags.size <= MOST_OTHERS + 1;
  });
}

// Fails closed: some upstreams have one tag for all codings.
function canRead({ request }: Exchange, { answer }: Entry): boolean {
  const coding = fieldOf(answer.headers, 'content-encoding');
  if (coding === undefined) return true;
  const accepted = String(request.headers['accept-encoding'] ?? '').toLowerCase();
  return accepted.split(',').some((one) => one.trim() === coding.toLowerCase());
}

function hasConditions({ request: { headers } }: Exchange): boolean {
  return headers['if-none-match'] !== undefined || headers['if-modified-since'] !== undefined;
}
