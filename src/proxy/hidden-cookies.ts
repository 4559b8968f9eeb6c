import { removeCookie } from '../exchange/cookie-field.ts';
import type { UpstreamSource } from '../upstreams/upstream-part.ts';

/** Takes out of a request what is between clients and the gateway: cookies that keep them with a target or on a side. */
export function hideCookies(headers: string[], { current, hiddenCookie }: UpstreamSource): void {
  if (current.stickyCookie !== undefined) removeCookie(headers, current.stickyCookie);
  if (hiddenCookie !== undefined) removeCookie(headers, hiddenCookie);
}
