import { isIP } from 'node:net';
import { z } from 'zod';

/** What a URL of the configuration may be. */
export interface UrlRules {
  /** Lower case, without a colon. */
  readonly schemes: readonly string[];
  /** For the message. */
  readonly example: string;
  /**
   * What may follow the host: nothing, a single slash, or path and query. A fragment never may, because nobody would be
   * sent it.
   */
  readonly rest: 'nothing' | 'slash' | 'anything';
  /** Whether a user and a password may stand before the host. Default no: they would get into logs and listings. */
  readonly credentials?: boolean;
}

const PARTS = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(?:([^/?#]*)@)?([^/?#]*)([^#]*)(#.*)?$/;
const HOST_AND_PORT = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/;
const PRINTABLE = /^[!-[\]-~]*$/;
const LABEL = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
const NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*\\.?$`);
/** A name whose last label is a number is read as an IPv4 address, in forms that few expect (`http://127.1`). */
const NUMBER_LAST = /(?:^|\.)(?:\d+|0[xX][0-9A-Fa-f]*)\.?$/;
const MAX_HOST_LENGTH = 253;
const MAX_PORT = 65_535;

/**
 * Says what is wrong with a URL, in words that never hold a part of it, for it may be a secret; undefined for nothing.
 * Stricter than `URL`, which repairs what was mistyped: what cannot be reached is told before the first request.
 */
export function urlFault(
  text: string,
  { schemes, example, rest, credentials }: UrlRules,
): string | undefined {
  if (!PRINTABLE.test(text)) {
    return `expected a URL of ASCII characters without white space and backslashes, such as ${example}`;
  }
  const [, scheme, user, authority = '', tail = '', fragment] = PARTS.exec(text) ?? [];
  if (scheme === undefined || !schemes.includes(scheme)) {
    return `expected ${schemes.map((one) => `${one}://`).join(' or ')} and a host, such as ${example}`;
  }
  if (user !== undefined && credentials !== true) return 'expected no credentials in the URL';
  const [, host = '', port] = HOST_AND_PORT.exec(authority) ?? [];
  if (!isHost(host)) {
    return `expected a host name, an IPv4 address, or an IPv6 address in brackets, such as ${example}`;
  }
  if (port !== undefined && !isPort(port))
    return 'expected a port from 1 to 65535 after the colon, or no colon';
  if (fragment !== undefined) return 'expected no fragment in the URL';
  if (rest === 'anything' || tail === '' || (rest === 'slash' && tail === '/')) return undefined;
  return `expected an origin without a path and a query, such as ${example}`;
}

/** A URL of the configuration; its faults say what was expected in its place. */
export function urlText(rules: UrlRules): z.ZodString {
  const schemes = rules.schemes.join('|');
  return z
    .string()
    .superRefine((text, context) => {
      const message = urlFault(text, rules);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    })
    .meta({ pattern: `^(${schemes})://[^\\s]+$` });
}

/** A URL that the gateway itself asks over HTTP. */
export const httpUrl = urlText({
  schemes: ['http', 'https'],
  example: 'https://id.example.com/jwks',
  rest: 'anything',
});

function isHost(host: string): boolean {
  if (host.startsWith('[')) return isIP(host.slice(1, -1)) === 6 && !host.includes('%');
  if (host.length > MAX_HOST_LENGTH || !NAME.test(host)) return false;
  return !NUMBER_LAST.test(host) || isIP(host) === 4;
}

function isPort(port: string): boolean {
  return /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= MAX_PORT;
}
