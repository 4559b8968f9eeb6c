import type { Json, Resource } from '../resource.ts';
import type { KindName } from '../kinds.ts';

/** What there is in a cluster, as far as it is followed. */
export interface ClusterView {
  /** The older first. */
  all(kind: KindName): readonly Resource[];
  get(kind: KindName, namespace: string, name: string): Resource | undefined;
}

/** A listener of the file. */
export interface FilePort {
  readonly port: number;
  readonly hasTls: boolean;
}

/** What the gateway says about what is made of objects. */
export interface Settings {
  readonly controller: string;
  /** Ports that the gateway listens on, by those that Gateways say. */
  readonly ports: Readonly<Record<string, number>>;
  /** Listeners of the file; undefined where it has none, and listens at the port of the environment. */
  readonly filePorts: readonly FilePort[] | undefined;
  readonly environmentPort: number;
  /** Ports that could not be opened, and why. */
  readonly unusable: ReadonlyMap<number, string>;
  readonly addresses: readonly string[];
  /** As namespace/name. */
  readonly service: string | undefined;
  readonly maxRoutes: number;
  /** Paths that the gateway answers itself, for services that trust it. */
  readonly reserved: readonly string[];
  /** Policies of all routes, as they are written. */
  readonly policies: Json;
  /** How the cluster is reached, for discovery. */
  readonly access: { readonly kubeconfig?: string | undefined; readonly context?: string | undefined };
  /** The path of a file that holds a text. */
  fileOf(text: string, kind: 'crt' | 'key'): string;
}

/** The port that the gateway listens on for one that a Gateway says. */
export function localPort({ ports, filePorts, environmentPort }: Settings, port: number): number | undefined {
  const mapped = ports[String(port)];
  if (mapped !== undefined) return mapped;
  const own = filePorts?.map((one) => one.port) ?? [environmentPort];
  return own.includes(port) ? port : undefined;
}
