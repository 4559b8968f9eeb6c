import type { LimitDecision } from '../../exchange/exchange.ts';
import type { BucketRule } from './rate-limiter.ts';

/** A rule by the name that clients see. */
export interface NamedRule {
  readonly name: string;
  readonly bucket: BucketRule;
}

/**
 * Returns the value of `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers, section 3), one item per rule:
 * `q` is the capacity of the bucket and `w` the seconds in which it fills. A client that sends `q` requests
 * every `w` seconds is never refused, which would not hold for rate and period of a bucket with a small burst.
 */
export function policyField(rules: readonly NamedRule[]): string {
  return rules
    .map(({ name, bucket }) => `"${name}";q=${String(bucket.burst)};w=${fillSeconds(bucket)}`)
    .join(', ');
}

function fillSeconds({ burst, perMs, rate }: BucketRule): string {
  return String(Math.max(1, Math.ceil((burst * perMs) / rate / 1000)));
}

/** What a rule says: a decision, nothing (its store is gone and it is open), or a refusal without a decision. */
export type Verdict = LimitDecision | 'closed' | undefined;

/** Returns the decision that a client has to mind: a refusal before a pass, then the one with the least left. */
export function tightestOf(verdicts: readonly Verdict[]): LimitDecision | undefined {
  let tightest: LimitDecision | undefined;
  for (const verdict of verdicts) {
    if (typeof verdict !== 'object') continue;
    if (tightest === undefined || isTighter(verdict, tightest)) tightest = verdict;
  }
  return tightest;
}

function isTighter(one: LimitDecision, other: LimitDecision): boolean {
  if (one.allowed !== other.allowed) return other.allowed;
  return one.allowed ? one.remaining < other.remaining : one.retryAfterMs > other.retryAfterMs;
}

/**
 * Appends `X-RateLimit-Limit`, `-Remaining` and `-Reset` of the tightest decision, and `RateLimit-Policy` and
 * `RateLimit` with one item per rule that was decided. `X-RateLimit-Reset` and `t` are seconds until the bucket
 * is full again, rounded up; `r` and `-Remaining` are whole tokens. `t` of a rule that refuses is when the request can pass,
 * because `Retry-After` must not come before it.
 */
export function appendFields(
  headers: string[],
  policy: string,
  rules: readonly NamedRule[],
  verdicts: readonly Verdict[],
  tightest: LimitDecision | undefined,
): void {
  headers.push('RateLimit-Policy', policy);
  if (tightest === undefined) return;
  let items = '';
  for (let i = 0; i < rules.length; i += 1) {
    const verdict = verdicts[i];
    if (typeof verdict !== 'object') continue;
    const waitMs = verdict.allowed ? verdict.resetMs : verdict.retryAfterMs;
    const item = `"${rules[i]?.name ?? ''}";r=${verdict.remaining};t=${Math.ceil(waitMs / 1000)}`;
    items = items === '' ? item : items + ', ' + item;
  }
  headers.push(
    'RateLimit',
    items,
    'X-RateLimit-Limit',
    String(tightest.limit),
    'X-RateLimit-Remaining',
    String(tightest.remaining),
    'X-RateLimit-Reset',
    String(Math.ceil(tightest.resetMs / 1000)),
  );
}
