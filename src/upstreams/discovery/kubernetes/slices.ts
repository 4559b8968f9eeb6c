import type { TargetOptions } from '../../target.schema.ts';
import { isLabelText, labelsFrom, originOf } from '../discovery-source.ts';

/** What of a Service is taken. */
export interface SliceOptions {
  readonly scheme: string;
  /** Name or number of the port; undefined for the only one. */
  readonly port: string | number | undefined;
  readonly family: 'IPv4' | 'IPv6';
  /** Zone of this gateway; undefined where hints are not minded. */
  readonly zone: string | undefined;
}

/** One EndpointSlice, as far as it is read (discovery.k8s.io/v1). */
export interface Slice {
  readonly addressType?: unknown;
  readonly endpoints?: unknown;
  readonly ports?: unknown;
}

/** What the slices of a Service come to. */
export interface SliceTargets {
  readonly targets: readonly TargetOptions[];
  readonly skipped: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

interface Endpoint {
  readonly url: string;
  readonly family: string;
  /** Tells a pod with two addresses from two pods. */
  readonly uid: string | undefined;
  readonly isReady: boolean;
  readonly isLeaving: boolean;
  readonly zone: string | undefined;
  readonly hints: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** The targets of all slices of one Service together: one slice never speaks for the others. */
export function targetsOf(slices: Iterable<readonly [string, Slice]>, options: SliceOptions): SliceTargets {
  const skipped: string[] = [];
  const found: Endpoint[] = [];
  for (const [name, slice] of slices) readSlice(name, slice, { options, found, skipped });
  const usable = usableOf(onceEach(ofOneFamily(found, options.family)));
  const targets = byHints(usable, options.zone).map(({ url, zone, labels }) => ({
    url,
    zone,
    labels,
    weight: 1,
    priority: 0,
  }));
  // Slices that nobody can use do not make a Service whose pods are all away look like a fault.
  return { targets, skipped: found.length > 0 && targets.length === 0 ? [] : skipped };
}

interface Reading {
  readonly options: SliceOptions;
  readonly found: Endpoint[];
  readonly skipped: string[];
}

function readSlice(name: string, slice: Slice, { options, found, skipped }: Reading): void {
  const endpoints = listOf(slice.endpoints);
  if (endpoints.length === 0) return;
  const family = slice.addressType;
  if (family !== 'IPv4' && family !== 'IPv6') {
    skipped.push(`slice ${name}: addresses of type ${String(family)} are for discovery by dns`);
    return;
  }
  const port = portOf(listOf(slice.ports), options.port);
  if (typeof port === 'string') return void skipped.push(`slice ${name}: ${port}`);
  endpoints.forEach((one, index) => {
    const endpoint = readEndpoint(objectOf(one) ?? {}, family, { port, scheme: options.scheme });
    if (endpoint === undefined)
      skipped.push(`slice ${name}: endpoint ${index} has no address that can be used`);
    else found.push(endpoint);
  });
}

function readEndpoint(
  one: Json,
  family: string,
  { port, scheme }: { port: number; scheme: string },
): Endpoint | undefined {
  // All addresses of one endpoint lead to the same: the first one, as with kube-proxy.
  const [address] = listOf(one['addresses']);
  const url = typeof address === 'string' ? originOf(scheme, address, port) : undefined;
  if (url === undefined) return undefined;
  const conditions = objectOf(one['conditions']) ?? {};
  const isReady = conditions['ready'] !== false;
  const isServing = typeof conditions['serving'] === 'boolean' ? conditions['serving'] : isReady;
  const reference = objectOf(one['targetRef']) ?? {};
  const labels = { pod: textOf(reference['name']), node: textOf(one['nodeName']) };
  return {
    url,
    family,
    uid: textOf(reference['uid']),
    isReady,
    isLeaving: isServing && conditions['terminating'] === true,
    zone: labelOf(one['zone']),
    hints: listOf(objectOf(one['hints'])?.['forZones']).flatMap(
      (hint) => textOf(objectOf(hint)?.['name']) ?? [],
    ),
    labels: labelsFrom(
      Object.entries(labels).filter((pair): pair is [string, string] => pair[1] !== undefined),
    ),
  };
}

// Numbers may differ from slice to slice, where a Service names the ports of its pods.
function portOf(ports: readonly unknown[], wanted: string | number | undefined): number | string {
  const all = ports.map((one) => objectOf(one) ?? {});
  const fitting = all.filter(
    ({ name, port }) =>
      wanted === undefined || (typeof wanted === 'number' ? port === wanted : (name ?? '') === wanted),
  );
  if (fitting.length > 1) {
    const names = fitting.map(({ name, port }) => String(name || port)).slice(0, 8);
    return `it has several ports, of which \`port\` has to name one: ${names.join(', ')}`;
  }
  const [only] = fitting;
  if (only === undefined) return wanted === undefined ? 'it has no port' : `it has no port ${wanted}`;
  const { port } = only;
  return typeof port === 'number' ? port : 'its port is any, and none can be chosen';
}

// A pod with addresses of both families is one target.
function ofOneFamily(found: readonly Endpoint[], family: string): readonly Endpoint[] {
  const first = found.filter((one) => one.family === family);
  const uids = new Set(first.map(({ uid }) => uid));
  const others = found.filter(
    (one) => one.family !== family && !(one.uid === undefined ? first.length > 0 : uids.has(one.uid)),
  );
  return [...first, ...others];
}

// While an endpoint moves from one slice to another it is in both.
function onceEach(found: readonly Endpoint[]): readonly Endpoint[] {
  const byUrl = new Map<string, Endpoint>();
  for (const one of found) {
    const before = byUrl.get(one.url);
    if (before === undefined || (!before.isReady && one.isReady)) byUrl.set(one.url, one);
  }
  return [...byUrl.values()];
}

// Where nobody is ready, those that leave and still serve are better than nobody.
function usableOf(all: readonly Endpoint[]): readonly Endpoint[] {
  const ready = all.filter(({ isReady }) => isReady);
  return ready.length > 0 ? ready : all.filter(({ isLeaving }) => isLeaving);
}

// Hints hold only if every endpoint has one and one of them is for us: else a zone would be left without.
function byHints(usable: readonly Endpoint[], zone: string | undefined): readonly Endpoint[] {
  if (zone === undefined || !usable.every(({ hints }) => hints.length > 0)) return usable;
  const ours = usable.filter(({ hints }) => hints.includes(zone));
  return ours.length > 0 ? ours : usable;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function objectOf(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

function labelOf(value: unknown): string | undefined {
  const text = textOf(value);
  return text !== undefined && isLabelText(text) ? text : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
