import type { X509Certificate } from 'node:crypto';

const DNS_NAME = /(?:^|, )DNS:([^,\s"]+)/g;
const COMMON_NAME = /^CN=(.+)$/m;

/** The names of hosts that a certificate is for, in lower case (RFC 6125); its subject counts only where it names none. */
export function namesOf({ subjectAltName, subject }: X509Certificate): readonly string[] {
  const names = [...(subjectAltName ?? '').matchAll(DNS_NAME)].map(([, name = '']) => name);
  const common = COMMON_NAME.exec(subject ?? '')?.[1];
  const own = names.length > 0 || subjectAltName !== undefined || common === undefined ? names : [common];
  return own.map((name) => name.toLowerCase());
}

/** Things by the names of hosts; a name of a certificate that begins with `*.` stands for one label. */
export class HostNames<Value> {
  readonly #exact = new Map<string, Value>();
  readonly #wildcards = new Map<string, Value>();

  /** Adds a value under a name; the first one of a name holds. */
  add(name: string, value: Value): void {
    const isWildcard = name.startsWith('*.');
    const [values, key] = isWildcard ? [this.#wildcards, name.slice(2)] : [this.#exact, name];
    if (!values.has(key)) values.set(key, value);
  }

  /** The value for a host, exact names first; undefined for none. */
  find(host: string): Value | undefined {
    const name = host.toLowerCase().replace(/\.$/, '');
    const dot = name.indexOf('.');
    return this.#exact.get(name) ?? (dot < 0 ? undefined : this.#wildcards.get(name.slice(dot + 1)));
  }
}
