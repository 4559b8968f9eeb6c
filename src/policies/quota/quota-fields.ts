import type { QuotaCount, QuotaTerms } from './quota-count.ts';
import type { QuotaPlan } from './quota-plan.ts';

/** What was counted of one quota; undefined where its store is gone and it is open. */
export type QuotaVerdict = QuotaCount | undefined;

/** Units that are left. */
export function leftOf({ used, carried }: QuotaCount, { limit }: Pick<QuotaTerms, 'limit'>): number {
  return Math.max(0, limit + carried - used);
}

/** Time until a window ends, in ms; at least 1. */
export function endsInMs({ end }: QuotaCount, nowMs: number): number {
  return Math.max(1, end * 1000 - nowMs);
}

/**
 * Adds what clients know of the quotas to the header fields of the answer: a member of `RateLimit-Policy` and of `RateLimit` each
 * (draft-ietf-httpapi-ratelimit-headers), behind those of the rate limits, and `Quota-Warning` for those that warn. `t` is the
 * time until the window ends.
 */
export function appendQuotaFields(
  headers: string[],
  { policyField, quotas, shown }: QuotaPlan,
  verdicts: readonly QuotaVerdict[],
  nowMs: number,
): void {
  if (policyField === '') return;
  join(headers, 'RateLimit-Policy', policyField);
  let items = '';
  let warnings = '';
  for (let i = 0; i < quotas.length; i += 1) {
    const count = verdicts[i];
    const quota = quotas[i];
    if (count === undefined || quota === undefined || shown[i] !== true) continue;
    const { name, terms } = quota;
    const item = `"${name}";r=${String(leftOf(count, terms))};t=${String(Math.ceil(endsInMs(count, nowMs) / 1000))}`;
    items = items === '' ? item : `${items}, ${item}`;
    if (count.fits && count.used < terms.warnAt * (terms.limit + count.carried)) continue;
    warnings = warnings === '' ? item : `${warnings}, ${item}`;
  }
  if (items !== '') join(headers, 'RateLimit', items);
  if (warnings !== '') headers.push('Quota-Warning', warnings);
}

/** Says the tightest of all as the older fields do, which know of one only: in place of a rate limit that has let pass. */
export function appendRefusalFields(
  headers: string[],
  { limit }: QuotaTerms,
  count: QuotaCount,
  nowMs: number,
): void {
  put(headers, 'X-RateLimit-Limit', String(limit + count.carried));
  put(headers, 'X-RateLimit-Remaining', String(leftOf(count, { limit })));
  put(headers, 'X-RateLimit-Reset', String(Math.ceil(endsInMs(count, nowMs) / 1000)));
}

function join(headers: string[], name: string, value: string): void {
  const at = indexOf(headers, name);
  if (at < 0) headers.push(name, value);
  else headers[at + 1] = `${headers[at + 1] as string}, ${value}`;
}

function put(headers: string[], name: string, value: string): void {
  const at = indexOf(headers, name);
  if (at < 0) headers.push(name, value);
  else headers[at + 1] = value;
}

function indexOf(headers: readonly string[], name: string): number {
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return i;
  return -1;
}
