import type { Principal } from './principal.ts';

const RESERVED_PREFIXES = ['xuser', 'xclient', 'xtenant', 'xforwarded'] as const;
const RESERVED_NAMES = ['forwarded', 'xrealip'] as const;
const LETTER_X = 0x78;
const LETTER_F = 0x66;

/**
 * Tells whether only the gateway may set a header of this name: `X-User-*`, `X-Client-*`, `X-Tenant-*`,
 * `X-Forwarded-*`, `Forwarded`, `X-Real-IP`, in any spelling. Case and every character that is neither letter
 * nor digit are folded away, because services read `X_User_Id`, `X.User.Id` and `X-User-Id` as the same.
 * Errs on the strict side: a name that merely starts with such a word (`X-Userland`) is taken too.
 */
export function isIdentityHeader(name: string): boolean {
  const first = name.charCodeAt(0) | 0x20;
  // Most names end here, before anything is folded.
  if (first !== LETTER_X && first !== LETTER_F && foldCode(name.charCodeAt(0)) !== 0) return false;
  for (const prefix of RESERVED_PREFIXES) if (foldsTo(name, prefix, true)) return true;
  for (const reserved of RESERVED_NAMES) if (foldsTo(name, reserved, false)) return true;
  return false;
}

/** Compares a name with a folded word, or with its beginning, without making a string of it. */
function foldsTo(name: string, word: string, isPrefix: boolean): boolean {
  let matched = 0;
  for (let i = 0; i < name.length; i += 1) {
    const code = foldCode(name.charCodeAt(i));
    if (code === 0) continue;
    if (matched === word.length) return isPrefix;
    if (code !== word.charCodeAt(matched)) return false;
    matched += 1;
  }
  return matched === word.length;
}

/** The lower-case code of an ASCII letter or digit, 0 for everything else. */
function foldCode(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code;
  const lower = code | 0x20;
  return code < 0x80 && lower >= 0x61 && lower <= 0x7a ? lower : 0;
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
  return headers;
}

function encode(value: string | undefined): string | undefined {
  return value?.toWellFormed().replace(/[^ -~]|%|^ +| +$/gu, encodeURIComponent);
}
