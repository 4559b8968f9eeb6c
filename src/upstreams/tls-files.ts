import { createHash } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { PemFiles, type FileRemark } from '../config/pem-files.ts';
import type { TlsOptions } from './transport/target-tls.ts';
import type { UpstreamOptions } from './upstream.schema.ts';

/** TLS to the targets of one upstream, as its files say. */
export interface UpstreamTls extends TlsOptions {
  /** Differs as soon as one of the files does. */
  readonly digest: string;
}

/** What the files of all upstreams hold. */
export interface LoadedTls {
  /** By upstream; those with a fault are missing. */
  readonly upstreams: ReadonlyMap<string, UpstreamTls>;
  readonly faults: readonly FileRemark[];
  /** What lets a gateway start, and is hardly meant. */
  readonly warnings: readonly FileRemark[];
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
  const found = { faults: [] as FileRemark[], warnings: [] as FileRemark[] };
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

/** The files of one upstream. */
class TlsFiles extends PemFiles {
  readonly #section: FileRemark['path'];

  constructor(path: FileRemark['path'], folder: string, now: number) {
    super(path, folder, now);
    this.#section = path;
  }

  /** @returns undefined when there is a fault. */
  load({ ca, cert, key, serverName, verify }: Keys): UpstreamTls | undefined {
    if (!verify) {
      const message =
        'the targets are not verified: whoever answers there is believed, and gets what is sent';
      this.warnings.push({ path: [...this.#section, 'verify'], message });
    }
    const authorities = this.certificates('ca', ca);
    const own = this.pair({ cert, key });
    if (this.faults.length > 0) return undefined;
    const content = { ca: authorities?.text, cert: own.cert?.text, key: own.key?.text };
    try {
      const digest = createHash('sha256').update(JSON.stringify(content)).digest('base64url');
      return { context: createSecureContext(content), serverName, verify, digest };
    } catch (error) {
      this.fault(undefined, `cannot be used: ${(error as Error).message}`);
      return undefined;
    }
  }
}
