import type { Exchange } from '../../../exchange/exchange.ts';
import { isLiftedKey, KEY_FIELD } from '../../../exchange/key-places.ts';
import { Problem } from '../../../problems/problem.ts';

/** Fields that a foreign page cannot send without asking us first (a CORS preflight). */
const PREFLIGHTED = ['graphql-require-preflight', 'apollo-require-preflight', 'x-apollo-operation-name'];

/**
 * Refuses a GET that a page of another site may have caused without our consent, such as an image whose address
 * is a query. A POST needs no such check: it must be `application/json`, which no foreign page can send without
 * a preflight. Reads pass when they carry a field that forces a preflight, or a bearer token, which browsers
 * never add by themselves; else when the browser says that they come from our own site, or when nothing speaks
 * for a browser: neither `Sec-Fetch-Site` nor a cookie. Pages of other origins that the door is meant for are not foreign.
 *
 * @throws {Problem} `request-invalid`, naming the field that helps.
 */
export function refuseForeignPage(exchange: Exchange): void {
  const { headers } = exchange.request;
  const site = headers['sec-fetch-site'];
  if (site === 'same-origin' || site === 'none') return;
  if (site === undefined && headers.cookie === undefined) return;
  if (/^bearer /i.test(headers.authorization ?? '')) return;
  if (PREFLIGHTED.some((name) => headers[name] !== undefined)) return;
  // Any page can send one in an address.
  if (headers[KEY_FIELD] !== undefined && !isLiftedKey(exchange.request)) return;
  if (exchange.route?.welcoming.some((stage) => stage.welcomes?.(exchange) === true) === true) return;
  // Fails closed: a browser that does not say where the request comes from is not believed.
  throw new Problem('request-invalid', {
    detail: 'A GET from another site must carry the field "GraphQL-Require-Preflight", or be a POST.',
  });
}
