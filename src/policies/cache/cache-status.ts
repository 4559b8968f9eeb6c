/** Why a request went to the upstream (RFC 9211 section 2.2). */
export type Forwarded = 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'stale' | 'request';

/** What became of a request besides. */
export interface ForwardedFacts {
  readonly status?: number | undefined;
  readonly isStored?: boolean;
  readonly isCollapsed?: boolean;
}

const CACHE = 'gatehouse';

/** What `Cache-Status` says of an answer from the store. @param leftMs how long it is fresh; negative for a stale one. */
export function hitStatus(leftMs: number, detail?: string): string {
  // Rounded down: what is stale is never shown as fresh, and what is fresh has at least what is shown.
  const hit = `${CACHE}; hit; ttl=${Math.floor(leftMs / 1000)}`;
  return detail === undefined ? hit : `${hit}; detail=${detail}`;
}

/** What it says of one that the upstream was asked for. */
export function forwardedStatus(
  why: Forwarded,
  { status, isStored, isCollapsed }: ForwardedFacts = {},
): string {
  let text = `${CACHE}; fwd=${why}`;
  if (status !== undefined) text += `; fwd-status=${status}`;
  if (isStored === true) text += '; stored';
  if (isCollapsed === true) text += '; collapsed';
  return text;
}
