import { X509Certificate } from 'node:crypto';
import { readNamedFile } from '../config/named-file.ts';
import { dirname, resolve } from 'node:path';
import type { GatewaySource } from '../routing/table-builder.ts';
import type { ShownCertificate } from '../telemetry/config-metrics.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

type Named = Omit<ShownCertificate, 'endsAt'>;

/**
 * When the certificates end that a configuration names: those of listeners, those that upstreams are shown, and the authorities
 * of both. Of a file with several it is the first that ends. A file that cannot be read is left out: the configuration would
 * not be in force with it, and one that has gone since is told of at the next reload.
 */
export function namedCertificates({ value, document }: GatewaySource): readonly ShownCertificate[] {
  const folder = dirname(document.file);
  const ofListeners = (value.listeners ?? []).flatMap(({ host, port, tls }): Named[] => {
    const files = [...(tls?.certificates.map(({ cert }) => cert) ?? []), tls?.clientCertificates?.ca];
    return named('listener', host === undefined ? String(port) : `${host}:${port}`, files);
  });
  const ofUpstreams = Object.entries(value.upstreams).flatMap(([name, { tls }]) =>
    named('upstream', name, [tls?.cert, tls?.ca]),
  );
  return [...ofListeners, ...ofUpstreams].flatMap((one) => {
    const endsAt = endOf(resolve(folder, one.file));
    return endsAt === undefined ? [] : [{ ...one, endsAt }];
  });
}

// A series has to be shown once, also where a file is named twice.
function named(of: Named['of'], name: string, files: readonly (string | undefined)[]): Named[] {
  return [...new Set(files)].flatMap((file) => (file === undefined ? [] : [{ of, name, file }]));
}

function endOf(path: string): number | undefined {
  try {
    const blocks = readNamedFile(path).toString().match(CERTIFICATE) ?? [];
    const ends = blocks.map((block) => Date.parse(new X509Certificate(block).validTo));
    return ends.length === 0 ? undefined : Math.min(...ends);
  } catch {
    return undefined;
  }
}
