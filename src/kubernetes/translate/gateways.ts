import {
  jsonOf,
  keyOf,
  listOf,
  textOf,
  wordsOf,
  type Condition,
  type Json,
  type Resource,
} from '../resource.ts';
import { certificateOf, type CertificateFiles } from './certificates.ts';
import { fails, holds } from './conditions.ts';
import { ObjectFault } from './faults.ts';
import { localPort, type ClusterView, type Settings } from './settings.ts';

/** The group of the Gateway API. */
export const GROUP = 'gateway.networking.k8s.io';
const ROUTE_KINDS = ['HTTPRoute', 'GRPCRoute'] as const;

/** The kinds of routes that listeners take. */
export type RouteKind = (typeof ROUTE_KINDS)[number];

/** A listener of a Gateway of ours, and what became of it. */
export interface BoundListener {
  readonly gateway: Resource;
  readonly name: string;
  /** As the Gateway says. */
  readonly port: number;
  readonly hostname: string | undefined;
  readonly kinds: readonly RouteKind[];
  /** Where the gateway listens for it; undefined where it cannot. */
  readonly local: number | undefined;
  readonly isSecure: boolean;
  readonly certificates: readonly CertificateFiles[];
  readonly conditions: readonly Condition[];
  /** Keys of the routes that are attached. */
  readonly attached: Set<string>;
  /** Whether routes of a namespace may attach. */
  allows(namespace: string): boolean;
}

/** A Gateway of ours. */
export interface BoundGateway {
  readonly gateway: Resource;
  readonly listeners: readonly BoundListener[];
}

/** Where the world is looked at. */
export interface Scene {
  readonly view: ClusterView;
  readonly settings: Settings;
}

/** The GatewayClasses that are ours. */
export function ourClasses({ view, settings }: Scene): readonly Resource[] {
  return view.all('GatewayClass').filter(({ spec }) => spec['controllerName'] === settings.controller);
}

/** The Gateways of our classes, the older first, with their listeners. */
export function bindGateways(scene: Scene): readonly BoundGateway[] {
  const classes = new Set(ourClasses(scene).map(({ name }) => name));
  const taken = new Map<number, boolean>();
  return scene.view
    .all('Gateway')
    .filter(({ spec }) => classes.has(textOf(spec['gatewayClassName'])))
    .map((gateway) => ({ gateway, listeners: bindListeners(gateway, scene, taken) }));
}

function bindListeners(
  gateway: Resource,
  scene: Scene,
  taken: Map<number, boolean>,
): readonly BoundListener[] {
  const listeners = listOf(gateway.spec['listeners']);
  return listeners.map((listener, index) => {
    const conflict = conflictOf(listeners, index);
    return bindListener({ gateway, listener, index, scene, taken, conflict });
  });
}

interface Binding {
  readonly gateway: Resource;
  readonly listener: Json;
  readonly index: number;
  readonly scene: Scene;
  /** Ports that are listened on, and whether TLS is spoken there. */
  readonly taken: Map<number, boolean>;
  readonly conflict: Condition | undefined;
}

function bindListener(binding: Binding): BoundListener {
  const { gateway, listener, scene, taken, conflict } = binding;
  const port = Number(listener['port']);
  const isSecure = listener['protocol'] === 'HTTPS';
  const local = localPort(scene.settings, port);
  const refused = conflict ?? refusalOf(binding, local);
  const found = isSecure ? certificatesOf(binding) : { certificates: [], faults: [] };
  const { kinds, fault } = kindsOf(jsonOf(listener['allowedRoutes']));
  const unresolved = [...found.faults, ...(fault === undefined ? [] : [fault])];
  const isUsed = refused === undefined && !(isSecure && found.certificates.length === 0);
  if (isUsed && local !== undefined) taken.set(local, isSecure);
  return {
    gateway,
    name: textOf(listener['name']),
    port,
    hostname: textOf(listener['hostname']).toLowerCase() || undefined,
    kinds,
    local: isUsed ? local : undefined,
    isSecure,
    certificates: found.certificates,
    conditions: conditionsOf({ refused, unresolved, isUsed, conflict }),
    attached: new Set(),
    allows: (namespace) => allows(listener, gateway, namespace, scene.view),
  };
}

function conditionsOf({
  refused,
  unresolved,
  isUsed,
  conflict,
}: {
  readonly refused: Condition | undefined;
  readonly unresolved: readonly ObjectFault[];
  readonly isUsed: boolean;
  readonly conflict: Condition | undefined;
}): readonly Condition[] {
  const [first] = unresolved;
  const message = unresolved.map((one) => one.message).join('; ');
  return [
    refused === undefined ? holds('Accepted') : fails('Accepted', refused.reason, refused.message),
    isUsed ? holds('Programmed') : fails('Programmed', 'Invalid', refused?.message ?? message),
    first === undefined ? holds('ResolvedRefs') : fails('ResolvedRefs', first.reason, message),
    conflict === undefined
      ? fails('Conflicted', 'NoConflicts', '')
      : { ...holds('Conflicted', conflict.reason), message: conflict.message },
  ];
}

function refusalOf(
  { listener, index, scene, taken }: Binding,
  local: number | undefined,
): Condition | undefined {
  const field = `listeners[${index}]`;
  const { protocol } = listener;
  if (protocol !== 'HTTP' && protocol !== 'HTTPS')
    return fails(
      'Accepted',
      'UnsupportedProtocol',
      `${field}.protocol: expected HTTP or HTTPS, not ${textOf(protocol)}`,
    );
  const tls = jsonOf(listener['tls']);
  if (protocol === 'HTTPS' && tls['mode'] === 'Passthrough')
    return fails('Accepted', 'UnsupportedValue', `${field}.tls.mode: Passthrough is not supported`);
  if (Object.keys(jsonOf(tls['options'])).length > 0)
    return fails('Accepted', 'UnsupportedValue', `${field}.tls.options: is not supported`);
  const isSecure = protocol === 'HTTPS';
  if (local === undefined)
    return fails(
      'Accepted',
      'PortUnavailable',
      `${field}.port: the gateway does not listen on ${String(listener['port'])}; say where under kubernetes.ports of its configuration`,
    );
  const { filePorts } = scene.settings;
  const own = filePorts?.find(({ port }) => port === local);
  if (own?.hasTls === true)
    return fails(
      'Accepted',
      'PortUnavailable',
      `${field}.port: port ${local} is a listener of the gateway's own file, with TLS of its own`,
    );
  if (isSecure && (own !== undefined || filePorts === undefined))
    return fails(
      'Accepted',
      'PortUnavailable',
      filePorts === undefined
        ? `${field}.port: no port can be opened, because the file has no listeners`
        : `${field}.port: port ${local} is a listener of the gateway's own file, without TLS`,
    );
  if (!isSecure && filePorts === undefined && local !== scene.settings.environmentPort)
    return fails(
      'Accepted',
      'PortUnavailable',
      `${field}.port: the gateway listens on ${scene.settings.environmentPort} and nothing else, because its file has no listeners`,
    );
  const closed = scene.settings.unusable.get(local);
  if (closed !== undefined) return fails('Accepted', 'PortUnavailable', `${field}.port: ${closed}`);
  if (taken.has(local) && taken.get(local) !== isSecure)
    return fails(
      'Accepted',
      'PortUnavailable',
      `${field}.port: another Gateway speaks ${isSecure ? 'HTTP' : 'HTTPS'} there`,
    );
  return undefined;
}

function certificatesOf({ gateway, listener, index, scene }: Binding): {
  readonly certificates: readonly CertificateFiles[];
  readonly faults: readonly ObjectFault[];
} {
  const from = { group: GROUP, kind: 'Gateway', namespace: gateway.namespace };
  const certificates: CertificateFiles[] = [];
  const faults: ObjectFault[] = [];
  listOf(jsonOf(listener['tls'])['certificateRefs']).forEach((ref, at) => {
    try {
      certificates.push(certificateOf(ref, from, `listeners[${index}].tls.certificateRefs[${at}]`, scene));
    } catch (error) {
      if (!(error instanceof ObjectFault)) throw error;
      faults.push(error);
    }
  });
  if (certificates.length + faults.length === 0)
    faults.push(
      new ObjectFault(
        'InvalidCertificateRef',
        `listeners[${index}].tls.certificateRefs: expected a certificate`,
      ),
    );
  return { certificates, faults };
}

function kindsOf({ kinds }: Json): { readonly kinds: readonly RouteKind[]; readonly fault?: ObjectFault } {
  const asked = listOf(kinds);
  if (asked.length === 0) return { kinds: ROUTE_KINDS };
  const known = ROUTE_KINDS.filter((kind) =>
    asked.some((one) => one['kind'] === kind && (textOf(one['group']) || GROUP) === GROUP),
  );
  if (known.length === asked.length) return { kinds: known };
  return {
    kinds: known,
    fault: new ObjectFault('InvalidRouteKinds', 'allowedRoutes.kinds: expected HTTPRoute or GRPCRoute'),
  };
}

function allows(listener: Json, gateway: Resource, namespace: string, view: ClusterView): boolean {
  const { from = 'Same', selector } = jsonOf(jsonOf(listener['allowedRoutes'])['namespaces']);
  if (from === 'All') return true;
  if (from === 'Same') return namespace === gateway.namespace;
  const labels = view.get('Namespace', '', namespace)?.labels;
  // Fails closed: of a namespace that is not known nothing is known.
  return from === 'Selector' && labels !== undefined && selects(jsonOf(selector), labels);
}

/** Whether a label selector takes labels. */
export function selects(selector: Json, labels: Readonly<Record<string, string>>): boolean {
  const isEqual = Object.entries(jsonOf(selector['matchLabels'])).every(
    ([name, value]) => labels[name] === value,
  );
  return (
    isEqual &&
    listOf(selector['matchExpressions']).every(({ key, operator, values }) => {
      const value = labels[textOf(key)];
      const isAmong = value !== undefined && wordsOf(values).includes(value);
      if (operator === 'In') return isAmong;
      if (operator === 'NotIn') return !isAmong;
      return operator === 'Exists' ? value !== undefined : operator === 'DoesNotExist' && value === undefined;
    })
  );
}

function conflictOf(listeners: readonly Json[], index: number): Condition | undefined {
  const own = listeners[index] as Json;
  for (const [at, other] of listeners.entries()) {
    if (at === index || other['port'] !== own['port']) continue;
    const place = `listeners[${index}] and listeners[${at}]`;
    if (other['protocol'] !== own['protocol'])
      return fails('Accepted', 'ProtocolConflict', `${place} speak different protocols on one port`);
    if (textOf(other['hostname']) === textOf(own['hostname']))
      return fails('Accepted', 'HostnameConflict', `${place} have the same port and hostname`);
  }
  return undefined;
}

/** The key of a Gateway that a parent reference leads to; undefined for another kind. */
export function parentKey(ref: Json, namespace: string): string | undefined {
  if ((textOf(ref['group']) || GROUP) !== GROUP || (textOf(ref['kind']) || 'Gateway') !== 'Gateway')
    return undefined;
  return keyOf({ namespace: textOf(ref['namespace']) || namespace, name: textOf(ref['name']) });
}
