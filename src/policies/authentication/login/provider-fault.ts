import { ResponseBodyError } from 'openid-client';

/** What the library says when there was no answer, or none of an OAuth server. */
const OUTAGES: ReadonlySet<unknown> = new Set([
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_PARSE_ERROR',
]);
const TOO_MANY = 429;
const SERVER_FAULT = 500;

/** Whether the provider said that what it was shown is good for nothing: a spent code, a refresh token that has ended. */
export function isSpent(error: unknown): boolean {
  return error instanceof ResponseBodyError && error.error === 'invalid_grant';
}

/** Whether the provider could not be asked, rather than having said no, or something that cannot be believed. */
export function isOutage(error: unknown): boolean {
  if (error instanceof ResponseBodyError) return error.status >= SERVER_FAULT || error.status === TOO_MANY;
  if (!Error.isError(error)) return false;
  const { name, code, cause } = error as Error & { readonly code?: unknown };
  // What `fetch` rejects with when there is no connection, by itself or as the library passes it on.
  return name === 'TypeError' || OUTAGES.has(code) || (Error.isError(cause) && cause.name === 'TypeError');
}
