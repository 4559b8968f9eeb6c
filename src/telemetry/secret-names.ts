/** Parts of names, folded, of what may hold a secret. Fails closed: rather one too many is hidden. */
const PARTS = /auth|cookie|credential|key|pass|secret|session|signature|token|jwt|csrf|xsrf|saml|assertion/;
/** Words of names that are too short to be looked for within others. */
const WORDS = /(?:^|[^a-z])(?:sig|hmac|mac|pw|pwd|otp|totp|pin|code|sid|ticket|nonce)(?:[^a-z]|$)/;
const HUMP = /(?<=[a-z\d])(?=[A-Z])/g;

/** Names of fields of log lines whose values never reach one. */
export const REDACTED_FIELDS: readonly string[] = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'token',
  '*.authorization',
  '*.cookie',
  '*.password',
];

/**
 * Whether what has a name may be a secret: a header field, a parameter of a query, a cookie, a member of JSON, metadata. The one
 * list that goes for whatever operators are shown.
 *
 * @param name as it came, perhaps percent-encoded.
 */
export function maySayASecret(name: string): boolean {
  const folded = plain(name).replace(HUMP, '-').toLowerCase();
  return PARTS.test(folded) || WORDS.test(folded);
}

function plain(name: string): string {
  try {
    return name.includes('%') ? decodeURIComponent(name) : name;
  } catch {
    return name;
  }
}
