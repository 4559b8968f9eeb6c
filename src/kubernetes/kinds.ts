import type { Collection } from '../upstreams/discovery/kubernetes/cluster-api.ts';

/** A kind of objects that is followed. */
export interface Kind {
  readonly kind: string;
  /** Group and version, such as `gateway.networking.k8s.io/v1`; `v1` for the core. */
  readonly api: string;
  readonly plural: string;
  readonly isOfCluster?: true;
  /** What is taken of them. Default all. */
  readonly query?: Readonly<Record<string, string>>;
  readonly of: 'gatewayApi' | 'ingress' | 'both';
  /** Whether its status is written. */
  readonly hasStatus?: true;
}

const GATEWAY_API = 'gateway.networking.k8s.io';

/** All kinds of objects that are followed. */
export const KINDS = [
  { kind: 'GatewayClass', api: `${GATEWAY_API}/v1`, plural: 'gatewayclasses', isOfCluster: true, of: 'gatewayApi', hasStatus: true }, // prettier-ignore
  { kind: 'Gateway', api: `${GATEWAY_API}/v1`, plural: 'gateways', of: 'gatewayApi', hasStatus: true },
  { kind: 'HTTPRoute', api: `${GATEWAY_API}/v1`, plural: 'httproutes', of: 'gatewayApi', hasStatus: true },
  { kind: 'GRPCRoute', api: `${GATEWAY_API}/v1`, plural: 'grpcroutes', of: 'gatewayApi', hasStatus: true },
  // Served in this version by all releases so far, and in v1 by the latest only.
  { kind: 'ReferenceGrant', api: `${GATEWAY_API}/v1beta1`, plural: 'referencegrants', of: 'gatewayApi' },
  { kind: 'BackendTLSPolicy', api: `${GATEWAY_API}/v1`, plural: 'backendtlspolicies', of: 'gatewayApi', hasStatus: true }, // prettier-ignore
  { kind: 'Ingress', api: 'networking.k8s.io/v1', plural: 'ingresses', of: 'ingress', hasStatus: true },
  { kind: 'IngressClass', api: 'networking.k8s.io/v1', plural: 'ingressclasses', isOfCluster: true, of: 'ingress' }, // prettier-ignore
  { kind: 'GatehousePolicy', api: 'gatehouse.dev/v1', plural: 'gatehousepolicies', of: 'both', hasStatus: true }, // prettier-ignore
  { kind: 'Namespace', api: 'v1', plural: 'namespaces', isOfCluster: true, of: 'gatewayApi' },
  { kind: 'Service', api: 'v1', plural: 'services', of: 'both' },
  // No other Secret is asked for.
  { kind: 'Secret', api: 'v1', plural: 'secrets', query: { fieldSelector: 'type=kubernetes.io/tls' }, of: 'both' }, // prettier-ignore
  // Only those that say that they are authorities, for there are many large ones of others.
  { kind: 'ConfigMap', api: 'v1', plural: 'configmaps', query: { labelSelector: 'gatehouse.dev/ca=true' }, of: 'gatewayApi' }, // prettier-ignore
] as const satisfies readonly Kind[];

/** The name of a kind that is followed. */
export type KindName = (typeof KINDS)[number]['kind'];

/** The path of objects of a kind, in one namespace or in all. */
export function pathOf(
  { api, plural }: Pick<Kind, 'api' | 'plural'>,
  namespace?: string,
  name?: string,
): string {
  const root = api.includes('/') ? `apis/${api}` : `api/${api}`;
  const space =
    namespace === undefined || namespace === '' ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${space}/${plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}

/** What is listed and watched of a kind, in one namespace or in all. */
export function collectionOf(kind: Kind, namespace?: string): Collection {
  const group = kind.api.includes('/') ? ` of ${kind.api.split('/')[0] ?? ''}` : '';
  const space = namespace === undefined ? 'in all namespaces' : `in the namespace ${namespace}`;
  return {
    title: `${kind.plural}${group} ${kind.isOfCluster === true ? 'of the cluster' : space}`,
    query: kind.query,
    path: () => pathOf(kind, kind.isOfCluster === true ? undefined : namespace),
  };
}
