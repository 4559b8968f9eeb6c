import type { IncomingMessage } from 'node:http';
import { liftKey, type KeyPlaces } from './key-places.ts';
import { dropOperatorsCookies } from './operators-cookies.ts';

/**
 * Puts the credentials of a request where everybody behind the open stage looks for them, and takes away those that are nobody's
 * there.
 *
 * @param places of API keys; undefined for the usual ones.
 */
export function liftCredentials(request: IncomingMessage, places: KeyPlaces | undefined): void {
  dropOperatorsCookies(request);
  if (places !== undefined) liftKey(request, places);
}
