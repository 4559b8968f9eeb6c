/** Parts of names, folded, of what may hold a secret. Fails closed: rather one too many is hidden. */
const PARTS =
  /auth|cookie|credential|key|pass|secret|session|signature|token|jwt|dpop|csrf|xsrf|saml|assertion/;
/** Words of names that are too short to be looked for within others. */
const WORDS = /(?:^|[^a-z])(?:sig|hmac|mac|pw|pwd|otp|totp|pin|code|sid|ticket|nonce)(?:[^a-z]|$)/;
const HUMP = /(?<=[a-z\d])(?=[A-Z])/g;

/** Names, without dashes and underscores, of fields of our own whose values are never written: `key` is a place in a file there. */
const SECRET_FIELDS: ReadonlySet<string> = new Set([
  'accesstoken', 'apikey', 'assertion', 'authorization', 'clientassertion', 'clientsecret', 'cookie', 'credential', 'credentials',
  'dpop', 'idtoken', 'jwt', 'passphrase', 'passwd', 'password', 'privatekey', 'proxyauthorization', 'refreshtoken', 'secret',
  'setcookie', 'token', 'xapikey',
]); // prettier-ignore

let added: ReadonlySet<string> = new Set();

/** Adds the names of the configuration in force, `logging.redact`, in place of those of the one before. */
export function redactNames(names: readonly string[]): void {
  added = new Set(names.map(joined));
}

/** Whether what stands under a name of ours, such as a field of a log line, is a secret. */
export function isSecretField(name: string): boolean {
  const plainName = joined(name);
  return SECRET_FIELDS.has(plainName) || added.has(plainName);
}

/**
 * Whether what has a name may be a secret: a header field, a parameter of a query, a cookie, a member of JSON, metadata. The one
 * list that goes for whatever operators are shown.
 *
 * @param name as it came, perhaps percent-encoded.
 */
export function maySayASecret(name: string): boolean {
  const said = plain(name);
  // `DPoP` has humps of its own.
  return (
    PARTS.test(said.toLowerCase()) ||
    WORDS.test(said.replace(HUMP, '-').toLowerCase()) ||
    added.has(joined(said))
  );
}

function plain(name: string): string {
  try {
    return name.includes('%') ? decodeURIComponent(name) : name;
  } catch {
    return name;
  }
}

function joined(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, '');
}
