import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { jsonOf, textOf, type Json, type Resource } from '../resource.ts';
import { PemFiles } from '../../config/pem-files.ts';
import { mayRefer, type Referrer } from './grants.ts';
import { ObjectFault } from './faults.ts';
import type { ClusterView, Settings } from './settings.ts';

/** A certificate and its key, as files. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** The certificate that a reference leads to. @throws {ObjectFault} when it leads to none that can be used. */
export function certificateOf(
  ref: Json,
  from: Referrer,
  field: string,
  { view, settings }: { readonly view: ClusterView; readonly settings: Settings },
): CertificateFiles {
  const [group, kind] = [textOf(ref['group']), textOf(ref['kind']) || 'Secret'];
  if (group !== '' || kind !== 'Secret')
    throw new ObjectFault('InvalidCertificateRef', `${field}: expected a Secret, not ${kind}`);
  const namespace = textOf(ref['namespace']) || from.namespace;
  const name = textOf(ref['name']);
  if (!mayRefer(view, from, { group: '', kind: 'Secret', namespace, name }))
    throw new ObjectFault(
      'RefNotPermitted',
      `${field}: no ReferenceGrant in ${namespace} lets it be named from here`,
    );
  const secret = view.get('Secret', namespace, name);
  if (secret === undefined)
    throw new ObjectFault(
      'InvalidCertificateRef',
      `${field}: there is no Secret ${namespace}/${name} of type kubernetes.io/tls`,
    );
  return filesOf(secret, field, settings);
}

/** What became of Secrets, by the object as the cluster has told it. */
const usable = new WeakMap<Resource, boolean>();

function filesOf(secret: Resource, field: string, settings: Settings): CertificateFiles {
  const { whole, namespace, name } = secret;
  const data = jsonOf(whole['data']);
  const [text, keyText] = [decoded(data['tls.crt']), decoded(data['tls.key'])];
  const files = { cert: settings.fileOf(text, 'crt'), key: settings.fileOf(keyText, 'key') };
  let isUsable = usable.get(secret);
  if (isUsable === undefined) usable.set(secret, (isUsable = areUsable(files)));
  // What OpenSSL says may quote the file.
  if (!isUsable)
    throw new ObjectFault(
      'InvalidCertificateRef',
      `${field}: tls.crt and tls.key of the Secret ${namespace}/${name} are no certificate (PEM) and its key`,
    );
  return files;
}

// By what a listener reads them with: a certificate that it refuses would close the port, which is everybody's.
function areUsable(files: CertificateFiles): boolean {
  const pem = new PemFiles([], '/', Date.now());
  const { cert, key } = pem.pair(files);
  if (pem.faults.length > 0 || cert === undefined || key === undefined) return false;
  try {
    createSecureContext({ cert: cert.text, key: key.text });
    return true;
  } catch {
    return false;
  }
}

function decoded(value: unknown): string {
  return Buffer.from(textOf(value), 'base64').toString('utf8');
}

/** Whether a text has certificates, all of which can be read. */
export function areAuthorities(text: string): boolean {
  const all = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    for (const one of all) new X509Certificate(one);
    return all.length > 0;
  } catch {
    return false;
  }
}
