import { parseAllDocuments } from 'yaml';
import type { KindName } from '../kinds.ts';
import { byAge, keyOf, resourceOf, type Resource } from '../resource.ts';
import type { ClusterView, Settings } from './settings.ts';

/** What there is in a cluster, from YAML. Objects are as old as they stand, and in the namespace `default` where they say none. */
export function viewOf(text: string): ClusterView {
  const objects = parseAllDocuments(text).flatMap((document, index): Resource[] => {
    const value = document.toJS() as { kind: string; metadata: object } | null;
    if (value === null) return [];
    const metadata = {
      namespace: 'default',
      creationTimestamp: String(index + 1000),
      generation: 1,
      resourceVersion: '1',
      ...value.metadata,
    };
    return [resourceOf(value.kind, { ...value, metadata })];
  });
  const all = (kind: KindName): readonly Resource[] =>
    objects.filter((one) => one.kind === kind).toSorted(byAge);
  return {
    all,
    get: (kind, namespace, name) =>
      all(kind).find((one) => keyOf(one) === keyOf({ namespace: namespace || 'default', name })),
  };
}

/** Settings of a gateway that listens on 80. */
export function settingsOf(more: Partial<Settings> = {}): Settings {
  return {
    controller: 'gatehouse.dev/gateway',
    ports: {},
    filePorts: [{ port: 80, hasTls: false }],
    environmentPort: 8080,
    unusable: new Map(),
    addresses: [],
    service: undefined,
    maxRoutes: 100,
    policies: { authentication: 'public' },
    access: {},
    fileOf: (text, kind) => `/secrets/${text.length}.${kind}`,
    ...more,
  };
}

/** A GatewayClass of ours and a Gateway with a listener at 80. */
export const EDGE = `
kind: GatewayClass
metadata: { name: gatehouse }
spec: { controllerName: gatehouse.dev/gateway }
---
kind: Gateway
metadata: { name: edge }
spec: { gatewayClassName: gatehouse, listeners: [{ name: http, port: 80, protocol: HTTP }] }
`;

/** A Service with a port 80. */
export function serviceText(name: string, namespace = 'default', more = ''): string {
  return `
---
kind: Service
metadata: { name: ${name}, namespace: ${namespace} }
spec: { ports: [{ name: http, port: 80 }] ${more} }
`;
}
