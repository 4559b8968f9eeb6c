import type { Exchange } from '../exchange/exchange.ts';
import type { AttemptEnd } from './attempt-end.ts';
import type { Target } from './target.ts';
import type { Upstream } from './upstream.ts';

const FIRST_BACKOFF_MS = 25;
const LONGEST_BACKOFF_MS = 250;

/** How long to wait before a target is asked again, in ms: random, so that those it has failed do not come back at once. */
export function backoffMs(retries: number): number {
  return Math.random() * Math.min(FIRST_BACKOFF_MS * (2 ** retries - 1), LONGEST_BACKOFF_MS);
}

/** The one form of a date that is sent today; `Date.parse` would find one in nearly any text (RFC 9110 section 5.6.7). */
const DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** The statuses whose `Retry-After` says when to come again (RFC 6585 section 4, RFC 9110 section 15.6.4). */
const SAYS_WHEN: ReadonlySet<number> = new Set([429, 503]);

/** The time that a `Retry-After` field asks for, in ms (RFC 9110 section 10.2.3); undefined when it says nothing. */
export function retryAfterMs(status: number, field: string | undefined): number | undefined {
  if (field === undefined || !SAYS_WHEN.has(status)) return undefined;
  if (/^\d{1,10}$/.test(field)) return Number(field) * 1000;
  const date = DATE.test(field) ? Date.parse(field) : NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** The status that is about who asks, not about who is asked: another target would say the same. */
const TOO_MANY_REQUESTS = 429;

/** What a wait depends on besides how the last attempt ended. */
export interface WaitFacts {
  readonly exchange: Exchange;
  /** How many attempts were made. */
  readonly made: number;
  /** Longest wait, in ms. */
  readonly maxWait: number;
}

/**
 * How long to wait for the next attempt, in ms; undefined when there is nobody to make it at.
 *
 * @param tried who was asked, the last one at the end; begins anew with that one once all were.
 */
export function waitBefore(
  end: AttemptEnd,
  tried: Target[],
  upstream: Upstream,
  { exchange, made, maxWait }: WaitFacts,
): number | undefined {
  const last = tried[tried.length - 1] as Target;
  const isFresh = upstream.hasFresh(tried, exchange);
  // What one target says of itself need not hold for the others.
  if (isFresh && (end.afterMs === undefined || end.retry !== TOO_MANY_REQUESTS)) return 0;
  if (!isFresh) {
    tried.length = 0;
    tried.push(last);
    const mayStay = (end.isConnection === true || end.afterMs !== undefined) && last.available;
    // Who has just given an answer would give it again.
    if (!mayStay && !upstream.hasFresh(tried, exchange)) return undefined;
  }
  if ((end.afterMs ?? 0) > maxWait) return Infinity;
  return (end.afterMs ?? 0) + Math.min(backoffMs(made), maxWait);
}
