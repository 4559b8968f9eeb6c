import type { IncomingMessage } from 'node:http';
import { refused } from './verifier.ts';
import { TOKEN } from '../../config/field-name.ts';

/**
 * Returns the value of a header field that may be there once at most. Reads the raw list, because the parsed
 * one hides a second `Authorization` and two readers could then believe different ones.
 *
 * @param name in lower case.
 * @throws {Problem} `credentials-invalid` when the field is there twice.
 */
export function soleHeader(request: IncomingMessage, name: string): string | undefined {
  const raw = request.rawHeaders;
  let value: string | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    const candidate = raw[i] ?? '';
    if (candidate.length !== name.length) continue;
    if (candidate !== name && candidate.toLowerCase() !== name) continue;
    if (value !== undefined) throw refused('A credential header is there more than once.');
    value = raw[i + 1] ?? '';
  }
  return value;
}

/**
 * Returns the credential of an `Authorization` field (RFC 9110 section 11.6.2), or undefined when the field is
 * absent or of another scheme.
 *
 * @param scheme in lower case.
 * @param other another scheme that is as good.
 * @throws {Problem} `credentials-invalid` when the field is malformed.
 */
export function authorizationOf(
  request: IncomingMessage,
  scheme: string,
  other?: string,
): string | undefined {
  const value = soleHeader(request, 'authorization');
  if (value === undefined) return undefined;
  const space = value.indexOf(' ');
  const given = space === -1 ? value : value.slice(0, space);
  if (!isScheme(given, scheme) && (other === undefined || !isScheme(given, other))) {
    if (TOKEN.test(given)) return undefined;
    throw refused('The Authorization header is malformed.');
  }
  const credential = space === -1 ? '' : value.slice(space + 1).trim();
  if (credential === '') throw refused('The Authorization header is malformed.');
  return credential;
}

function isScheme(given: string, scheme: string): boolean {
  return given.length === scheme.length && given.toLowerCase() === scheme;
}

/**
 * Returns the value of a cookie that may be there once at most: a second one of the name was set by somebody else, such as
 * another host of the same site (RFC 6265 section 8.6), and which one is meant cannot be told.
 *
 * @throws {Problem} `credentials-invalid` when it is there twice.
 */
export function soleCookie(field: string | undefined, name: string): string | undefined {
  if (field === undefined || !field.includes(name)) return undefined;
  let value: string | undefined;
  for (const pair of field.split(';')) {
    const equals = pair.indexOf('=');
    if (equals < 0 || pair.slice(0, equals).trim() !== name) continue;
    if (value !== undefined) throw refused('The cookie of the token is there more than once.');
    value = pair.slice(equals + 1).trim();
  }
  return value === '' ? undefined : value;
}
