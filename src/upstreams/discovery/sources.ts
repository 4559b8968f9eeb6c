import { secretFault } from '../../config/secrets.ts';
import { readNamedFile } from '../../config/named-file.ts';
import { resolve } from 'node:path';
import type { UpstreamOptions } from '../upstream.schema.ts';
import { ConsulSource } from './consul/consul-source.ts';
import { kindOf, schemeOf, type DiscoveryOptions } from './discovery.schema.ts';
import type { DiscoverySource } from './discovery-source.ts';
import { DnsSource } from './dns/dns-source.ts';
import { FileSource } from './file/file-source.ts';
import { KubernetesSource } from './kubernetes/kubernetes-source.ts';

/** What speaks against a source before it is asked, and where it stands. */
export interface DiscoveryRemark {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

type Place = Pick<UpstreamOptions, 'protocol' | 'tls'>;

/** Where what the options name is found. */
export interface Surroundings {
  /** That relative names of files start from: the one of the configuration file. */
  readonly folder: string;
  /** Default that of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Makes the source that the options ask for; nothing is asked yet. */
export function createSource(
  options: DiscoveryOptions,
  upstream: Place,
  { folder, environment = process.env }: Surroundings,
): DiscoverySource {
  const scheme = schemeOf(options, upstream);
  const { dns, consul, kubernetes, file } = options;
  if (dns !== undefined) return new DnsSource({ ...dns, scheme });
  if (consul !== undefined) {
    const { tokenEnv, tokenFile, ca, ...asked } = consul;
    return new ConsulSource({
      ...asked,
      scheme,
      // One that is missing is a fault of its own, told with all others: nothing is asked then.
      token: tokenEnv === undefined ? undefined : environment[tokenEnv],
      tokenFile: tokenFile && resolve(folder, tokenFile),
      ca: ca && certificatesOf(resolve(folder, ca)),
    });
  }
  if (kubernetes !== undefined) {
    const { kubeconfig } = kubernetes;
    return new KubernetesSource({
      ...kubernetes,
      scheme,
      kubeconfig: kubeconfig && resolve(folder, kubeconfig),
    });
  }
  const { protocol, tls } = upstream;
  return new FileSource({ path: resolve(folder, file?.path ?? ''), protocol, tls });
}

/** What is asked, in a few words without secrets. */
export function describeSource(options: DiscoveryOptions): string {
  const { dns, consul, kubernetes, file } = options;
  const what = dns
    ? `${dns.type} ${dns.name}`
    : (consul?.service ??
      (kubernetes && [kubernetes.namespace, kubernetes.service].filter(Boolean).join('/')) ??
      file?.path);
  return `${kindOf(options)} ${what ?? ''}`;
}

/** What keeps sources of a configuration from being asked at all. */
export function discoveryFaults(
  upstreams: Readonly<Record<string, UpstreamOptions>>,
  { folder, environment = process.env }: Surroundings,
): readonly DiscoveryRemark[] {
  const keepers = new Map<string, string>();
  return Object.entries(upstreams).flatMap(([name, { discovery }]) => {
    const { lastKnown } = discovery ?? {};
    const { tokenEnv, tokenFile, ca } = discovery?.consul ?? {};
    const path = ['upstreams', name, 'discovery', 'consul'];
    const faults: DiscoveryRemark[] = [];
    const untold = tokenEnv && secretFault({ variable: tokenEnv, environment });
    if (untold) faults.push({ path: [...path, 'tokenEnv'], message: untold });
    const unread = tokenFile && secretFault({ file: tokenFile, folder });
    if (unread) faults.push({ path: [...path, 'tokenFile'], message: unread });
    if (ca !== undefined && certificatesOf(resolve(folder, ca)) === undefined)
      faults.push({
        path: [...path, 'ca'],
        message: `the file ${ca} cannot be read, or has no certificate (PEM)`,
      });
    const keeper = lastKnown && keepers.get(resolve(folder, lastKnown));
    if (lastKnown !== undefined) keepers.set(resolve(folder, lastKnown), name);
    if (keeper !== undefined)
      faults.push({
        path: ['upstreams', name, 'discovery', 'lastKnown'],
        message: `expected a file of its own: the upstream "${keeper}" has this one`,
      });
    return faults;
  });
}

/** What lets sources be asked, and is hardly meant. */
export function discoveryWarnings(
  upstreams: Readonly<Record<string, UpstreamOptions>>,
): readonly DiscoveryRemark[] {
  return Object.entries(upstreams).flatMap(([name, upstream]) => {
    const { discovery, tls } = upstream;
    if (discovery === undefined) return [];
    const path = ['upstreams', name, 'discovery'];
    const warnings: DiscoveryRemark[] = [];
    const looked = discovery.dns?.name;
    if (looked !== undefined && (!looked.includes('.') || looked.endsWith('.svc'))) {
      const message = `${looked} is looked up as it stands, without a search list: name it in full, such as users.shop.svc.cluster.local`;
      warnings.push({ path: [...path, 'dns', 'name'], message });
    }
    const isByAddress = discovery.consul !== undefined || discovery.kubernetes !== undefined;
    const isSecure = schemeOf(discovery, upstream).endsWith('s');
    if (isByAddress && isSecure && tls?.serverName === undefined && tls?.verify !== false) {
      const message =
        'its targets are addresses, which certificates seldom name: say the name in `tls.serverName`';
      warnings.push({ path, message });
    }
    return warnings;
  });
}

// Without them nothing starts, see above.
function certificatesOf(file: string): string | undefined {
  try {
    const text = readNamedFile(file).toString();
    return text.includes('-----BEGIN CERTIFICATE-----') ? text : undefined;
  } catch {
    return undefined;
  }
}
