import type { X509Certificate } from 'node:crypto';
import { normalName, type NameKind } from './certificate-patterns.ts';

/** Whom a certificate is for. Names are in their one form, without a character that could be taken for another one. */
export interface CertificateNames extends Readonly<Record<NameKind, readonly string[]>> {
  /** The attributes of its subject that it says once, by their short names, such as `CN`. */
  readonly subject: ReadonlyMap<string, string>;
}

const ENTRY = /([A-Za-z][A-Za-z ]*):("(?:[^"\\]|\\.)*"|[^"]*?)(?:, (?=[A-Za-z][A-Za-z ]*:)|$)/y;
const KINDS: ReadonlyMap<string, NameKind> = new Map([
  ['URI', 'uri'],
  ['DNS', 'dns'],
  ['email', 'email'],
]);
const VISIBLE = /^[!-~]+$/;
/** More of them are nobody's. */
const MOST_NAMES = 100;

/** Reads the names of a certificate; undefined where they cannot be told for sure, such as one with a NUL in it. */
export function certificateNames(x509: X509Certificate): CertificateNames | undefined {
  const names = alternativeNames(x509.subjectAltName ?? '');
  if (names === undefined) return undefined;
  const subject = Object.entries(x509.toLegacyObject().subject ?? {});
  // An attribute that is there twice is a list.
  const once = subject.filter((one): one is [string, string] => typeof one[1] === 'string');
  return namesFrom(names, new Map(once));
}

/** Puts names together; undefined for some that cannot be told for sure. */
export function namesFrom(
  names: readonly (readonly [NameKind, string])[],
  subject: ReadonlyMap<string, string>,
): CertificateNames | undefined {
  if (names.length > MOST_NAMES || !names.every(([, name]) => VISIBLE.test(name))) return undefined;
  const of = (kind: NameKind): string[] =>
    names.filter((one) => one[0] === kind).map(([, name]) => normalName(kind, name));
  const found = { uri: of('uri'), dns: of('dns'), email: of('email'), subject };
  // A workload has one identity (X.509-SVID section 2): of two, somebody else might read the other one.
  return found.uri.filter((uri) => uri.startsWith('spiffe:')).length > 1 ? undefined : found;
}

// As Node writes them: a name with a character that could end it is a text of JSON (CVE-2021-44532).
function alternativeNames(text: string): (readonly [NameKind, string])[] | undefined {
  const found: (readonly [NameKind, string])[] = [];
  ENTRY.lastIndex = 0;
  while (ENTRY.lastIndex < text.length) {
    const [, type = '', value = ''] = ENTRY.exec(text) ?? [];
    if (type === '') return undefined;
    const kind = KINDS.get(type);
    if (kind !== undefined) found.push([kind, value.startsWith('"') ? (JSON.parse(value) as string) : value]);
  }
  return found;
}
