import { createHash, createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { TlsOptions } from './transport/target-tls.ts';
import type { UpstreamOptions } from './upstream.schema.ts';

/** TLS to the targets of one upstream, as its files say. */
export interface UpstreamTls extends TlsOptions {
  /** Differs as soon as one of the files does. */
  readonly digest: string;
}

/** Something to be said about the `tls` of an upstream. */
export interface TlsRemark {
  /** From the root of the configuration. */
  readonly path: readonly string[];
  readonly message: string;
}

/** What the files of all upstreams hold. */
export interface LoadedTls {
  /** By upstream; those with a fault are missing. */
  readonly upstreams: ReadonlyMap<string, UpstreamTls>;
  readonly faults: readonly TlsRemark[];
  /** What lets a gateway start, and is hardly meant. */
  readonly warnings: readonly TlsRemark[];
}

type Keys = NonNullable<UpstreamOptions['tls']>;

/**
 * Reads and checks the files that the upstreams name for TLS.
 *
 * @param folder that relative names start from: the one of the configuration file.
 * @param now for the dates of certificates, in ms since the epoch.
 */
export function loadTls(
  upstreams: Readonly<Record<string, UpstreamOptions>>,
  folder: string,
  now = Date.now(),
): LoadedTls {
  const loaded = new Map<string, UpstreamTls>();
  const found = { faults: [] as TlsRemark[], warnings: [] as TlsRemark[] };
  for (const [name, { tls }] of Object.entries(upstreams)) {
    if (tls === undefined) continue;
    const files = new TlsFiles(['upstreams', name, 'tls'], folder, now);
    const read = files.load(tls);
    if (files.faults.length === 0 && read !== undefined) loaded.set(name, read);
    found.faults.push(...files.faults);
    found.warnings.push(...files.warnings);
  }
  return { upstreams: loaded, ...found };
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no file',
  ENOTDIR: 'there is no file',
  EACCES: 'no permission to read',
  EISDIR: 'expected a file, not the folder',
};

/** The files of one upstream. */
class TlsFiles {
  readonly faults: TlsRemark[] = [];
  readonly warnings: TlsRemark[] = [];
  readonly #path: readonly string[];
  readonly #folder: string;
  readonly #now: number;

  constructor(path: readonly string[], folder: string, now: number) {
    this.#path = path;
    this.#folder = folder;
    this.#now = now;
  }

  /** @returns undefined when there is a fault. */
  load({ ca, cert, key, serverName, verify }: Keys): UpstreamTls | undefined {
    if (!verify) {
      const message =
        'the targets are not verified: whoever answers there is believed, and gets what is sent';
      this.warnings.push({ path: [...this.#path, 'verify'], message });
    }
    const texts = {
      ca: this.#certificates('ca', ca),
      cert: this.#certificates('cert', cert),
      key: this.#key(key),
    };
    if (this.faults.length > 0) return undefined;
    const [own, secret] = [texts.cert?.all[0], texts.key?.key];
    if (own !== undefined && secret !== undefined && !own.checkPrivateKey(secret)) {
      this.#fault(
        'key',
        `the key in ${this.#place(key)} is not the one of the first certificate in ${this.#place(cert)}`,
      );
      return undefined;
    }
    const content = { ca: texts.ca?.text, cert: texts.cert?.text, key: texts.key?.text };
    try {
      const digest = createHash('sha256').update(JSON.stringify(content)).digest('base64url');
      return { context: createSecureContext(content), serverName, verify, digest };
    } catch (error) {
      this.#fault(undefined, `cannot be used: ${(error as Error).message}`);
      return undefined;
    }
  }

  #certificates(name: 'ca' | 'cert', file: string | undefined): Certificates | undefined {
    const text = this.#read(name, file);
    if (text === undefined) return undefined;
    const blocks = text.match(CERTIFICATE) ?? [];
    if (blocks.length === 0) this.#fault(name, `expected a certificate in PEM in ${this.#place(file)}`);
    const all = blocks.flatMap((block, index) => {
      try {
        return [new X509Certificate(block)];
      } catch {
        this.#fault(name, `certificate ${index + 1} in ${this.#place(file)} cannot be read`);
        return [];
      }
    });
    this.#checkDates(name, file, all);
    return { text, all };
  }

  #checkDates(name: 'ca' | 'cert', file: string | undefined, all: readonly X509Certificate[]): void {
    const outdated = all.flatMap((one) => {
      const [from, to] = [Date.parse(one.validFrom), Date.parse(one.validTo)];
      if (from <= this.#now && this.#now <= to) return [];
      return [
        `${nameOf(one)} ${this.#now > to ? `has expired on ${day(to)}` : `is not valid before ${day(from)}`}`,
      ];
    });
    // One line for a file, for bundles hold many.
    if (outdated.length === 0) return;
    const more = outdated.length > MOST_NAMED ? `, and ${outdated.length - MOST_NAMED} more` : '';
    const message = `in ${this.#place(file)}: ${outdated.slice(0, MOST_NAMED).join('; ')}${more}`;
    this.warnings.push({ path: [...this.#path, name], message });
  }

  #key(file: string | undefined): { readonly text: string; readonly key: KeyObject } | undefined {
    const text = this.#read('key', file);
    if (text === undefined) return undefined;
    try {
      return { text, key: createPrivateKey(text) };
    } catch {
      // Not what the error says: that could quote the key.
      const isLocked = text.includes('ENCRYPTED');
      this.#fault(
        'key',
        `expected a private key in PEM${isLocked ? ' without a passphrase' : ''} in ${this.#place(file)}`,
      );
      return undefined;
    }
  }

  #read(name: string, file: string | undefined): string | undefined {
    if (file === undefined) return undefined;
    try {
      return readFileSync(this.#place(file), 'utf8');
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      this.#fault(name, `${REASONS[code] ?? `cannot be read (${code}):`} ${this.#place(file)}`);
      return undefined;
    }
  }

  #place(file = ''): string {
    return resolve(this.#folder, file);
  }

  #fault(name: string | undefined, message: string): void {
    this.faults.push({ path: name === undefined ? this.#path : [...this.#path, name], message });
  }
}

interface Certificates {
  readonly text: string;
  readonly all: readonly X509Certificate[];
}

const MOST_NAMED = 3;

function nameOf({ subject }: X509Certificate): string {
  return (subject ?? '').split('\n').at(-1) ?? '';
}

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
