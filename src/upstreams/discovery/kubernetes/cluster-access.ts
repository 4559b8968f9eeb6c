import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { Unknown } from '../discovery-source.ts';
import type { RegistryTls } from '../registry-client.ts';
import type { CredentialPlugin, PluginCredential } from './credential-plugin.ts';

/** Where a cluster is, and as whom it is asked. */
export interface ClusterAccess {
  readonly url: string;
  readonly namespace: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: RegistryTls;
}

/** Whose access is taken. */
export interface AccessOptions {
  /** Path of the kubeconfig; undefined for the service account of the pod. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  /** What the paths of the service account begin with. Default nothing. */
  readonly root?: string | undefined;
}

/** What asks an issuer of tokens has this long. */
const ISSUER_MS = 20_000;

/**
 * Reads the access to a cluster anew: tokens and authorities are files that are replaced while the gateway runs.
 *
 * @param plugin runs what a kubeconfig names for its credentials.
 * @throws {Unknown} when there is none.
 */
export async function clusterAccess(
  { kubeconfig, context, root }: AccessOptions,
  plugin: CredentialPlugin,
  signal: AbortSignal,
): Promise<ClusterAccess> {
  // It is large, and most gateways have no cluster.
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  const options: RequestOptions = {};
  try {
    if (kubeconfig !== undefined) config.loadFromFile(kubeconfig);
    else if (process.env['KUBERNETES_SERVICE_HOST']) config.loadFromCluster(root);
    else throw new Error('this is no pod: name a `kubeconfig`');
    if (context !== undefined) config.setCurrentContext(context);
    const exec: unknown = config.getCurrentUser()?.exec;
    if (exec) bring(config, await plugin.credential(exec, kubeconfig, signal));
    await within(config.applyToHTTPSOptions(options), ISSUER_MS);
  } catch (error) {
    throw new Unknown(`there is no access to the cluster: ${reasonOf(error)}`, { cause: error });
  }
  const url = config.getCurrentCluster()?.server;
  if (url === undefined || !URL.canParse(url))
    throw new Unknown('there is no access to the cluster: its context names no server');
  const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = options;
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace;
  return {
    url,
    namespace: namespace?.trim() || undefined,
    headers: headersOf(options),
    tls: defined({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername }) as RegistryTls,
  };
}

/** Has the current user be who a plugin says. */
function bring(config: KubeConfig, { token, clientCertificateData, clientKeyData }: PluginCredential): void {
  const current = config.getCurrentUser();
  const brought = {
    ...(token !== undefined && { token }),
    ...(clientCertificateData !== undefined && { certData: encoded(clientCertificateData) }),
    ...(clientKeyData !== undefined && { keyData: encoded(clientKeyData) }),
  };
  config.users = config.users.map((user) =>
    user === current ? { ...user, exec: undefined, ...brought } : user,
  );
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64');
}

function headersOf({ headers, auth }: RequestOptions): Record<string, string> {
  const given = Object.entries((headers ?? {}) as Record<string, unknown>);
  const fields = Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), String(value).trim()]));
  if (auth) fields['authorization'] = `Basic ${Buffer.from(auth).toString('base64')}`;
  return fields;
}

function defined(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined && value !== null),
  );
}

// The text of such errors may hold what the file says; their code does not.
function reasonOf(error: unknown): string {
  const { code, message, name } = error as NodeJS.ErrnoException;
  if (code !== undefined) return code;
  return name === 'YAMLException' ? 'the kubeconfig is no YAML' : message.slice(0, 200);
}

function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('its credentials did not come in time')), ms).unref();
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
