import { byAge, jsonOf, listOf, textOf, type Json, type Resource } from '../resource.ts';
import type { Backends } from './backends.ts';
import { certificateOf } from './certificates.ts';
import { ObjectFault } from './faults.ts';
import { pathPattern } from './matches.ts';
import type { Policies } from './policies.ts';
import type { Remark } from './remark.ts';
import { tooMany, type RouteDraft } from './routes.ts';
import { localPort, type ClusterView, type Settings } from './settings.ts';
import { addressesOf } from './addresses.ts';
import { brokenKey, type BrokenObjects } from './broken.ts';
import type { StatusDraft } from './status-draft.ts';

const GROUP = 'networking.k8s.io';
const DEFAULT_CLASS = 'ingressclass.kubernetes.io/is-default-class';
const HTTPS = 443;

/** What Ingresses are translated with. */
export interface IngressDeps {
  readonly view: ClusterView;
  readonly settings: Settings;
  readonly backends: Backends;
  readonly policies: Policies;
  readonly broken: BrokenObjects;
}

/** What Ingresses come to. */
export interface TranslatedIngresses {
  readonly drafts: readonly RouteDraft[];
  /** Ports with certificates. */
  readonly listeners: readonly Json[];
  readonly statuses: readonly StatusDraft[];
  readonly remarks: readonly Remark[];
}

/** Translates the Ingresses of our classes, the older first. */
export function translateIngresses(deps: IngressDeps): TranslatedIngresses {
  const { view, settings } = deps;
  const ours = view.all('Ingress').filter(isOurs(deps)).toSorted(byAge);
  const drafts: RouteDraft[] = [];
  const certificates: Json[] = [];
  const remarks: Remark[] = [];
  for (const ingress of ours) {
    const said = deps.broken.get(brokenKey(ingress));
    if (said !== undefined) remarks.push({ of: ingress, message: said, isWhole: true });
    if (said !== undefined) continue;
    const read = readIngress(ingress, deps);
    drafts.push(...read.drafts);
    certificates.push(...read.certificates);
    remarks.push(...read.faults.map((fault) => ({ of: ingress, message: fault })));
  }
  const port = localPort(settings, HTTPS);
  const isOpen = port !== undefined && settings.filePorts?.some((one) => one.port === port) === false;
  if (certificates.length > 0 && !isOpen)
    remarks.push({
      message:
        'Ingresses have certificates, and the gateway has no port for them: say where 443 is under kubernetes.ports, and nothing else of it',
    });
  return {
    drafts,
    listeners: isOpen && certificates.length > 0 ? [{ port, certificates }] : [],
    statuses: ours.map((of): StatusDraft => ({ kind: 'Ingress', of, status: statusOf(deps) })),
    remarks,
  };
}

/** Leaves out the Ingresses, the younger first, that make more routes than there may still be, and says so. */
export function withinLimit(
  ingresses: TranslatedIngresses,
  free: number,
  settings: Settings,
): Pick<TranslatedIngresses, 'drafts' | 'remarks'> {
  const drafts: RouteDraft[] = [];
  const left = new Set<Resource>();
  for (const [owner, own] of Map.groupBy(ingresses.drafts, (draft) => draft.owner)) {
    if (drafts.length + own.length <= free) drafts.push(...own);
    else left.add(owner);
  }
  const kept = ingresses.remarks.filter(({ of }) => of === undefined || !left.has(of));
  const message = tooMany(settings);
  return { drafts, remarks: [...kept, ...[...left].map((of): Remark => ({ of, message, isWhole: true }))] };
}

function isOurs({ view, settings }: IngressDeps): (ingress: Resource) => boolean {
  const classes = view.all('IngressClass').filter(({ spec }) => spec['controller'] === settings.controller);
  const names = new Set(classes.map(({ name }) => name));
  const isDefault = classes.some(({ annotations }) => annotations[DEFAULT_CLASS] === 'true');
  return ({ spec }) => {
    const named = spec['ingressClassName'];
    return named === undefined ? isDefault : names.has(textOf(named));
  };
}

interface ReadIngress {
  readonly drafts: RouteDraft[];
  readonly certificates: Json[];
  readonly faults: string[];
}

function readIngress(ingress: Resource, deps: IngressDeps): ReadIngress {
  const read: ReadIngress = { drafts: [], certificates: [], faults: [] };
  const { spec } = ingress;
  listOf(spec['rules']).forEach((rule, index) => {
    listOf(jsonOf(rule['http'])['paths']).forEach((path, at) => {
      const field = `rules[${index}].http.paths[${at}]`;
      const type = path['pathType'] === 'Exact' ? 'Exact' : 'PathPrefix';
      add(
        { ingress, id: `${index}.${at}`, host: textOf(rule['host']), read, deps, field },
        path['backend'],
        () => pathPattern({ type, value: textOf(path['path']) || '/' }, `${field}.path`),
      );
    });
  });
  if (spec['defaultBackend'] !== undefined)
    add(
      { ingress, id: 'default.0', host: '', read, deps, field: 'defaultBackend' },
      spec['defaultBackend'],
      () => '/*',
    );
  listOf(spec['tls']).forEach(({ secretName }, index) => {
    if (secretName === undefined) return;
    const from = { group: GROUP, kind: 'Ingress', namespace: ingress.namespace };
    noting(read, () =>
      read.certificates.push({
        ...certificateOf({ name: secretName }, from, `tls[${index}].secretName`, deps),
      }),
    );
  });
  return read;
}

interface Adding {
  readonly ingress: Resource;
  readonly id: string;
  readonly host: string;
  readonly read: ReadIngress;
  readonly deps: IngressDeps;
  readonly field: string;
}

function add({ ingress, id, host, read, deps, field }: Adding, backend: unknown, path: () => string): void {
  noting(read, () => {
    const match = { path: path(), ...(host !== '' && { hosts: [host.toLowerCase()] }) };
    const answer = answerOf(ingress, jsonOf(backend), { read, deps, field });
    const attached = deps.policies.at([{ of: ingress }]);
    const name = ['ingress', ingress.namespace, ingress.name, id].join('.');
    // Fails closed: without a policy that was meant to guard it, it is served to nobody.
    const served =
      attached.broken === undefined
        ? { ...answer, policies: { ...deps.settings.policies, ...attached.policies } }
        : { respond: { status: 500 }, policies: { authentication: 'public' } };
    const config = { id: name, match, paths: { trailingSlash: 'distinct' }, ...served };
    read.drafts.push({ id: name, config, owner: ingress, policies: attached.of });
  });
}

function answerOf(
  ingress: Resource,
  { service, resource }: Json,
  { read, deps, field }: Pick<Adding, 'read' | 'deps' | 'field'>,
): Json {
  if (resource !== undefined)
    throw new ObjectFault('InvalidKind', `${field}.backend.resource: is not supported`);
  const { name, port } = jsonOf(service);
  const { number, name: portName } = jsonOf(port);
  const from = { group: GROUP, kind: 'Ingress', namespace: ingress.namespace };
  try {
    const upstream = deps.backends.upstreamOf(
      { name, port: portName ?? number },
      from,
      `${field}.backend.service`,
    );
    return { upstream, webSocket: {} };
  } catch (error) {
    if (!(error instanceof ObjectFault)) throw error;
    read.faults.push(error.message);
    return { respond: { status: 503 } };
  }
}

function noting(read: ReadIngress, act: () => void): void {
  try {
    act();
  } catch (error) {
    read.faults.push(error instanceof Error ? error.message : String(error));
  }
}

function statusOf(deps: IngressDeps): Json {
  const ingress = addressesOf(deps).map(({ type, value }) =>
    type === 'IPAddress' ? { ip: value } : { hostname: value },
  );
  return { loadBalancer: ingress.length === 0 ? {} : { ingress } };
}
