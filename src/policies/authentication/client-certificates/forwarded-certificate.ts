import { X509Certificate } from 'node:crypto';
import { namesFrom } from './certificate-names.ts';
import type { NameKind } from './certificate-patterns.ts';
import { readSubject } from './distinguished-name.ts';
import { presented, x5tOf, type PresentedCertificate } from './presented-certificate.ts';

/** The elements of `X-Forwarded-Client-Cert` are one for each proxy on the way. */
export type ForwardedElement = 'first' | 'last';

type Members = ReadonlyMap<string, readonly string[]>;

const PAIR = /[ \t]*([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^",;=]*)[ \t]*(;|,|$)/y;
const MOST_ELEMENTS = 10;
/** Keys of which one element may have several. */
const LISTS: ReadonlySet<string> = new Set(['by', 'uri', 'dns']);
const SHA256_HEX = /^[0-9a-f]{64}$/;
const ONE_PEM = /^-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=]+-----END CERTIFICATE-----\s*$/;
const BYTES = /^:((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?):$/;

/** Reads `Client-Cert` (RFC 9440 section 2.2): one certificate in DER, as bytes of a structured field. Undefined for anything else. */
export function readClientCert(value: string): PresentedCertificate | undefined {
  const [, base64 = ''] = BYTES.exec(value.trim()) ?? [];
  const der = Buffer.from(base64, 'base64');
  const x509 = certificateIn(der);
  // Nothing else may stand for it, such as a certificate with something behind it.
  return x509?.raw.equals(der) === true ? presented(x509) : undefined;
}

/** Reads `X-Forwarded-Client-Cert`, as Envoy writes it; undefined for what does not say for sure whose certificate it is. */
export function readXfcc(value: string, which: ForwardedElement): PresentedCertificate | undefined {
  const members = elementsOf(value)?.at(which === 'first' ? 0 : -1);
  if (members === undefined) return undefined;
  const hash = soleOf(members, 'hash')?.toLowerCase();
  if (hash !== undefined && !SHA256_HEX.test(hash)) return undefined;
  const pem = soleOf(members, 'cert');
  if (pem === undefined) return byMembers(members, hash);
  const text = decoded(pem);
  const x509 = text !== undefined && ONE_PEM.test(text) ? certificateIn(text) : undefined;
  if (x509 === undefined) return undefined;
  const certificate = presented(x509);
  return hash === undefined || hash === certificate.fingerprint ? certificate : undefined;
}

function byMembers(members: Members, hash: string | undefined): PresentedCertificate | undefined {
  const of = (kind: NameKind): (readonly [NameKind, string])[] =>
    (members.get(kind) ?? []).map((name) => [kind, name]);
  const subject = readSubject(soleOf(members, 'subject') ?? '');
  const names = subject && namesFrom([...of('uri'), ...of('dns')], subject);
  const isEmpty = hash === undefined && names?.uri.length === 0 && names.dns.length === 0;
  if (names === undefined || (isEmpty && names.subject.size === 0)) return undefined;
  const x5t = hash === undefined ? undefined : x5tOf(hash);
  return Object.freeze({ fingerprint: hash, x5t, names, fromMs: -Infinity, untilMs: Infinity });
}

/** The elements, each by its keys in lower case, without those that say nothing. */
function elementsOf(text: string): Members[] | undefined {
  const elements: Map<string, string[]>[] = [];
  let current: Map<string, string[]> | undefined = undefined;
  PAIR.lastIndex = 0;
  // What is read ends with the text; a separator at its very end leaves something open.
  for (let separator: string | undefined = ','; separator !== '';) {
    const [, name = '', value = '', end] = PAIR.exec(text) ?? [];
    if (end === undefined) return undefined;
    if (separator === ',') elements.push((current = new Map<string, string[]>()));
    if (elements.length > MOST_ELEMENTS) return undefined;
    add(current as Map<string, string[]>, name.toLowerCase(), value);
    separator = end;
  }
  return elements.every(areOnce) ? elements : undefined;
}

function add(members: Map<string, string[]>, name: string, value: string): void {
  const said = value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
  const values = members.get(name) ?? [];
  if (said !== '') values.push(said);
  members.set(name, values);
}

function areOnce(members: Members): boolean {
  return [...members].every(([name, values]) => values.length < 2 || LISTS.has(name));
}

function soleOf(members: Members, name: string): string | undefined {
  return members.get(name)?.[0];
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function certificateIn(bytes: Buffer | string): X509Certificate | undefined {
  try {
    return new X509Certificate(bytes);
  } catch {
    return undefined;
  }
}
