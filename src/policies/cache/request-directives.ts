import type { IncomingHttpHeaders } from 'node:http';
import type { Exchange } from '../../exchange/exchange.ts';
import { parseCacheControl } from './cache-control.ts';
import type { Entry } from './entry.ts';
import { secondsOf } from './freshness.ts';

/** What a client allows a cache to answer with (RFC 9111 section 5.2.1). */
export interface Wanted {
  readonly noStore: boolean;
  readonly noCache: boolean;
  readonly onlyIfCached: boolean;
  /** In ms; undefined where it does not say. */
  readonly maxAgeMs: number | undefined;
  readonly minFreshMs: number | undefined;
  readonly maxStaleMs: number | undefined;
  readonly ifErrorMs: number | undefined;
}

const ANYTHING: Wanted = Object.freeze({
  noStore: false,
  noCache: false,
  onlyIfCached: false,
  maxAgeMs: undefined,
  minFreshMs: undefined,
  maxStaleMs: undefined,
  ifErrorMs: undefined,
});

/** Reads `Cache-Control` of a request; `Pragma: no-cache` counts only without it (section 5.4). */
export function wantedOf(headers: IncomingHttpHeaders): Wanted {
  const control = headers['cache-control'];
  if (control === undefined) {
    const { pragma } = headers;
    return pragma?.toLowerCase().includes('no-cache') === true ? { ...ANYTHING, noCache: true } : ANYTHING;
  }
  const directives = parseCacheControl(control);
  const ms = (name: string): number | undefined => {
    const seconds = secondsOf(directives.get(name));
    return seconds === undefined ? undefined : seconds * 1000;
  };
  return {
    noStore: directives.has('no-store'),
    noCache: directives.has('no-cache'),
    onlyIfCached: directives.has('only-if-cached'),
    maxAgeMs: ms('max-age'),
    minFreshMs: ms('min-fresh'),
    // Without a number it takes an answer of any age.
    maxStaleMs: directives.get('max-stale') === '' ? Infinity : ms('max-stale'),
    ifErrorMs: ms('stale-if-error'),
  };
}

/** How an entry may be used for a request: as it is, as it is while the upstream is asked, or only once that was asked. */
export type Use = 'fresh' | 'stale' | 'while-revalidate' | 'validate';

/** How a client may be answered with an entry (RFC 9111 sections 4.2.4 and 5.2.1; RFC 5861 section 3). */
export function useOf(entry: Entry, wanted: Wanted, now: number): Use {
  if (wanted.noCache || entry.mustValidate) return 'validate';
  const leftMs = entry.freshUntil - now;
  const isFresh = leftMs > 0;
  const isTooOld = wanted.maxAgeMs !== undefined && now - entry.storedAt > wanted.maxAgeMs;
  // A reload of a page says so of everything; what never changes has not changed either (RFC 8246).
  if (isTooOld && !(isFresh && entry.isImmutable)) return 'validate';
  if (wanted.minFreshMs !== undefined && leftMs < wanted.minFreshMs) return 'validate';
  if (isFresh) return 'fresh';
  if (!entry.mayBeStale) return 'validate';
  if (wanted.maxStaleMs !== undefined && -leftMs <= wanted.maxStaleMs) return 'stale';
  return now < entry.revalidateUntil ? 'while-revalidate' : 'validate';
}

/** Whether an entry may stand in while the upstream fails: for as long as it, its route or the client says. */
export function mayStandIn(entry: Entry, wanted: Wanted, now: number): boolean {
  if (!entry.mayBeStale || entry.mustValidate) return false;
  const byClient = wanted.ifErrorMs === undefined ? 0 : entry.freshUntil + wanted.ifErrorMs;
  return now < Math.max(entry.standInUntil, byClient);
}

/**
 * Whether a stored answer can be one to this request. With a body the answer may depend on it; `If-Match` is for the
 * origin to judge (RFC 9111 section 4.3.2).
 */
export function isForCaches({ request: { headers } }: Exchange): boolean {
  const length = headers['content-length'];
  if (headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')) return false;
  return headers['if-match'] === undefined && headers['if-unmodified-since'] === undefined;
}

/** Whether an answer to it may be what others wait for: who wants a new one, or none at all, asks by itself. */
export function isSharable({ request: { headers } }: Exchange, wanted: Wanted, mayWait: boolean): boolean {
  if (!mayWait || wanted.noCache || wanted.maxAgeMs !== undefined) return false;
  return headers['if-none-match'] === undefined && headers['if-modified-since'] === undefined;
}
