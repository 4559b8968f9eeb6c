import { cookieOf } from '../../exchange/cookie-field.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { partitionOf } from '../../exchange/principal.ts';
import type { HashKeyOptions } from './balancing.schema.ts';

/** What requests are told apart by; undefined for one that does not have it. */
export type HashKey = (exchange: Exchange) => string | undefined;

/** Makes what reads the key of a request. */
export function hashKey(options: HashKeyOptions): HashKey {
  if (options === 'address') return ({ clientAddress }) => clientAddress;
  if (options === 'principal') return ofPrincipal;
  if ('header' in options) return ofHeader(options.header);
  if ('cookie' in options) return ofCookie(options.cookie);
  if ('parameter' in options) return ofParameter(options.parameter);
  return ofQuery(options.query);
}

const ofPrincipal: HashKey = ({ principal }) =>
  principal === undefined ? undefined : partitionOf(principal);

function ofHeader(name: string): HashKey {
  return ({ request }) => {
    const value = request.headers[name];
    const text = typeof value === 'object' ? value[0] : value;
    return text === '' ? undefined : text;
  };
}

function ofCookie(name: string): HashKey {
  return ({ request }) => cookieOf(request.headers.cookie, name);
}

function ofParameter(name: string): HashKey {
  return ({ route, params }) => {
    const index = route?.pattern.parameters.indexOf(name) ?? -1;
    return index < 0 ? undefined : params[index];
  };
}

/** As it came, percent-encoded; the first where there are several. */
function ofQuery(name: string): HashKey {
  const start = `${encodeURIComponent(name)}=`;
  return ({ query }) => {
    for (let at = query.indexOf(start); at > 0; at = query.indexOf(start, at + 1)) {
      const before = query[at - 1];
      if (before !== '?' && before !== '&') continue;
      const end = query.indexOf('&', at);
      const value = query.slice(at + start.length, end < 0 ? undefined : end);
      return value === '' ? undefined : value;
    }
    return undefined;
  };
}
