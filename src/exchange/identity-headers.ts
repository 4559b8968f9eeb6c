import type { Principal } from './principal.ts';
import { foldName, isIdentityName } from './reserved-names.ts';

/**
 * Tells whether only the gateway may set a header of this name: `X-User-*`, `X-Client-*`, `X-Tenant-*`,
 * `X-Forwarded-*`, `Forwarded`, `X-Real-IP`, in any spelling. Errs on the strict side: a name that merely starts with
 * such a word (`X-Userland`) is taken too.
 */
export function isIdentityHeader(name: string): boolean {
  return isIdentityName(foldName(name));
}

const flatHeaders = new WeakMap<Principal, readonly string[]>();
const NO_HEADERS: readonly string[] = Object.freeze([]);

/**
 * Returns the header fields that tell an upstream who calls: a flat, frozen list of names and values, made
 * once per principal. What the principal does not have is left out. An API key, and a token without a subject, stand
 * for an application: they yield `X-Client-Id` and no `X-User-Id`, because a client must not be taken for the user
 * of the same name.
 *
 * Values are visible ASCII and inner spaces; everything else, and `%` itself, is percent-encoded as UTF-8, so
 * that no value can end a line or start another and decoding gives back exactly what the issuer said. Inside
 * a role a comma is encoded as well.
 */
export function identityHeaders(principal: Principal | undefined): readonly string[] {
  if (principal === undefined) return NO_HEADERS;
  let headers = flatHeaders.get(principal);
  if (headers === undefined) {
    headers = Object.freeze(listHeaders(principal));
    flatHeaders.set(principal, headers);
  }
  return headers;
}

function listHeaders(principal: Principal): string[] {
  const headers: string[] = [];
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') headers.push(name, value);
  };
  add('X-User-Id', encode(principal.subject));
  add('X-User-Email', encode(principal.email));
  add('X-User-Roles', principal.roles.map((role) => encode(role)?.replaceAll(',', '%2C')).join(','));
  add('X-Client-Id', encode(principal.clientId));
  add('X-Tenant-Id', encode(principal.tenant));
  if (principal.bearer !== undefined) add('Authorization', `Bearer ${principal.bearer}`);
  return headers;
}

function encode(value: string | undefined): string | undefined {
  return value === undefined ? undefined : encodeFieldValue(value);
}

/**
 * A text as the value of a header field: visible ASCII and inner spaces stay, everything else and `%` are percent-encoded as
 * UTF-8, so that no text can end a line, and decoding gives it back.
 */
export function encodeFieldValue(text: string): string {
  return text.toWellFormed().replace(/[^ -~]|%|^ +| +$/gu, encodeURIComponent);
}
