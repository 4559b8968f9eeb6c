import { SESSION_COOKIES } from '../../exchange/operators-cookies.ts';

/** With TLS browsers keep others from setting it: no other host, and no page without TLS. */
const [PLAIN, SECURE] = SESSION_COOKIES;
const ID = /^[\w-]{43}$/;

const nameOf = (isTls: boolean): string => (isTls ? SECURE : PLAIN);
const fieldOf = (isTls: boolean, value: string): string =>
  `${nameOf(isTls)}=${value}; Path=/; HttpOnly; SameSite=Strict${isTls ? '; Secure' : ''}`;

/** The field `Set-Cookie` for a session. */
export function sessionCookie(id: string, isTls: boolean): string {
  return fieldOf(isTls, id);
}

/** The one that takes it away. */
export function clearedCookie(isTls: boolean): string {
  return `${fieldOf(isTls, '')}; Max-Age=0`;
}

/** The id of a session in the field `Cookie`; undefined for none, and for several, of which nobody knows whose they are. */
export function sessionIdOf(field: string | undefined, isTls: boolean): string | undefined {
  const prefix = `${nameOf(isTls)}=`;
  const found = (field ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(prefix));
  const id = found[0]?.slice(prefix.length);
  return found.length === 1 && id !== undefined && ID.test(id) ? id : undefined;
}
