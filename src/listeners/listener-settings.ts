import { createHash } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { PemFiles, type FileRemark } from '../config/pem-files.ts';
import { HostNames, namesOf } from './certificate-names.ts';
import type { ListenerOptions } from './listeners.schema.ts';

/** One certificate of a listener. */
export interface OwnCertificate {
  readonly context: SecureContext;
  /** The hosts that it is for. */
  readonly names: HostNames<true>;
}

/** TLS of one listener, as its files say. */
export interface ListenerTls {
  /** What every handshake starts from, before it names a host. */
  readonly context: SecureContextOptions;
  /** By host name. */
  readonly contexts: HostNames<OwnCertificate>;
  /** The one that is shown to who names no host, or none that there is a certificate for. */
  readonly first: OwnCertificate;
  /** How many there are. */
  readonly count: number;
  readonly clientCertificates: 'optional' | 'required' | undefined;
  /** Differs as soon as who may come in does: tickets of before would go past that. */
  readonly admission: string;
}

/** One listener, as one configuration says. */
export interface ListenerSettings {
  readonly options: ListenerOptions;
  readonly tls: ListenerTls | undefined;
  /** Who may speak the PROXY protocol, by addresses and blocks; undefined where it is not spoken. */
  readonly proxies: readonly string[] | undefined;
}

/** What the files of all listeners hold. */
export interface LoadedListeners {
  /** In the order of the file; a listener with a fault is missing. Undefined without the section. */
  readonly listeners: readonly ListenerSettings[] | undefined;
  readonly faults: readonly FileRemark[];
  readonly warnings: readonly FileRemark[];
}

/** Ephemeral keys and authenticated encryption, and nothing else (RFC 9325 section 4.2); those of TLS 1.3 all are. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/**
 * Reads and checks what the listeners of a configuration name.
 *
 * @param trustedProxies who may speak the PROXY protocol where a listener does not say.
 * @param folder that relative names start from: the one of the configuration file.
 * @param now for the dates of certificates, in ms since the epoch.
 */
export function loadListeners(
  {
    listeners,
    trustedProxies,
  }: {
    readonly listeners?: readonly ListenerOptions[] | undefined;
    readonly trustedProxies: readonly string[];
  },
  folder: string,
  now = Date.now(),
): LoadedListeners {
  const found = { faults: [] as FileRemark[], warnings: [] as FileRemark[] };
  if (listeners === undefined) return { listeners: undefined, ...found };
  const loaded = listeners.map((options, index): ListenerSettings => {
    const files = new ListenerFiles(index, folder, now);
    const tls = options.tls && files.load(options.tls);
    const proxies = proxiesOf(options, trustedProxies);
    found.faults.push(...files.faults);
    found.warnings.push(...files.warnings);
    if (proxies?.length === 0) {
      const message = 'expected `from`, or `trustedProxies`: nobody may speak the PROXY protocol';
      found.faults.push({ path: ['listeners', index, 'proxyProtocol'], message });
    }
    return Object.freeze({ options, tls, proxies });
  });
  return { listeners: loaded, ...found };
}

/** The files that a listener names. */
export function filesOf({ tls }: ListenerOptions): readonly string[] {
  if (tls === undefined) return [];
  const own = tls.certificates.flatMap(({ cert, key }) => [cert, key]);
  return tls.clientCertificates === undefined ? own : [...own, tls.clientCertificates.ca];
}

function proxiesOf(
  { proxyProtocol }: ListenerOptions,
  trustedProxies: readonly string[],
): readonly string[] | undefined {
  if (proxyProtocol === false) return undefined;
  return (proxyProtocol === true ? undefined : proxyProtocol.from) ?? trustedProxies;
}

class ListenerFiles {
  readonly #files: PemFiles[] = [];
  readonly #index: number;
  readonly #folder: string;
  readonly #now: number;

  constructor(index: number, folder: string, now: number) {
    this.#index = index;
    this.#folder = folder;
    this.#now = now;
  }

  get faults(): readonly FileRemark[] {
    return this.#files.flatMap(({ faults }) => faults);
  }

  get warnings(): readonly FileRemark[] {
    return this.#files.flatMap(({ warnings }) => warnings);
  }

  /** @returns undefined when there is a fault. */
  load({
    certificates,
    minVersion,
    clientCertificates,
  }: NonNullable<ListenerOptions['tls']>): ListenerTls | undefined {
    const authorities =
      clientCertificates && this.#at('clientCertificates').certificates('ca', clientCertificates.ca);
    const shared = { ca: authorities?.text, minVersion, ciphers: CIPHERS, honorCipherOrder: true };
    const contexts = new HostNames<OwnCertificate>();
    const all: OwnCertificate[] = [];
    const own = certificates.flatMap((names, index) => {
      const files = this.#at('certificates', index);
      const { cert, key } = files.pair(names);
      if (files.faults.length > 0 || cert === undefined || key === undefined) return [];
      const context = { ...shared, cert: cert.text, key: key.text };
      try {
        const one = { context: createSecureContext(context), names: new HostNames<true>() };
        for (const name of namesOf(cert.all[0] as never)) {
          contexts.add(name, one);
          one.names.add(name, true);
        }
        all.push(one);
      } catch (error) {
        files.fault('cert', `cannot be used: ${(error as Error).message}`);
      }
      return [context];
    });
    const [[context], [first]] = [own, all];
    if (this.faults.length > 0 || context === undefined || first === undefined) return undefined;
    const mode = clientCertificates?.mode;
    const admission = createHash('sha256')
      .update(JSON.stringify([mode, authorities?.text]))
      .digest('hex');
    return { context, contexts, first, count: all.length, clientCertificates: mode, admission };
  }

  #at(...path: (string | number)[]): PemFiles {
    const files = new PemFiles(['listeners', this.#index, 'tls', ...path], this.#folder, this.#now);
    this.#files.push(files);
    return files;
  }
}
