import { byAge, jsonOf, listOf, type Condition, type Json, type Resource } from '../resource.ts';
import type { KindName } from '../kinds.ts';
import { addressesOf } from './addresses.ts';
import { Backends } from './backends.ts';
import type { BrokenObjects } from './broken.ts';
import { fails, holds } from './conditions.ts';
import { gatewayStatus } from './gateway-status.ts';
import { bindGateways, ourClasses, type BoundGateway } from './gateways.ts';
import { translateIngresses, withinLimit } from './ingresses.ts';
import { Policies, type PolicyCheck } from './policies.ts';
import type { Remark } from './remark.ts';
import { translateRoute, type RouteDeps, type RouteDraft } from './routes.ts';
import type { ClusterView, Settings } from './settings.ts';
import type { StatusDraft } from './status-draft.ts';

/** What the objects of a cluster come to. */
export interface Translation {
  readonly routes: readonly RouteDraft[];
  readonly upstreams: ReadonlyMap<string, Json>;
  /** Listeners that the file does not have. */
  readonly listeners: readonly Json[];
  readonly statuses: readonly StatusDraft[];
  /** Objects that have no conditions to say it in, and what is wrong with them. */
  readonly remarks: readonly Remark[];
}

/** Translates all objects. Pure: the same objects come to the same. */
export function translate(
  view: ClusterView,
  settings: Settings,
  { check, broken }: { readonly check: PolicyCheck; readonly broken: BrokenObjects },
): Translation {
  const scene = { view, settings };
  const gateways = bindGateways(scene);
  const backends = new Backends(scene);
  const policies = new Policies(view, check, below(broken, 'GatehousePolicy'));
  const ingresses = translateIngresses({ ...scene, backends, policies, broken });
  const listeners = listenersOf(gateways, ingresses.listeners, settings);
  const deps: RouteDeps = {
    gateways,
    backends,
    policies,
    controller: settings.controller,
    basePolicies: settings.policies,
    allPorts: portsOf(listeners, settings),
    broken,
    settings,
  };
  const drafts: RouteDraft[] = [];
  const statuses: StatusDraft[] = [];
  for (const route of [...view.all('HTTPRoute'), ...view.all('GRPCRoute')].toSorted(byAge)) {
    const translated = translateRoute(route, deps, settings.maxRoutes - drafts.length);
    drafts.push(...translated.drafts);
    if (translated.status !== undefined)
      statuses.push({ kind: route.kind as KindName, of: route, status: translated.status });
  }
  const rest = withinLimit(ingresses, settings.maxRoutes - drafts.length, settings);
  const routes = withoutDoubles([...drafts, ...rest.drafts]);
  return {
    routes,
    upstreams: usedBy(routes, backends.upstreams),
    listeners,
    statuses: [...statuses, ...ingresses.statuses, ...otherStatuses(scene, gateways, { policies, backends })],
    remarks: rest.remarks,
  };
}

// Each is followed, and what is refused may name any number of them.
function usedBy(routes: readonly RouteDraft[], all: ReadonlyMap<string, Json>): ReadonlyMap<string, Json> {
  const used = new Set(
    routes.flatMap(({ config: { upstream, split, mirror, passGrpc } }) => [
      upstream,
      jsonOf(mirror)['upstream'],
      ...[split, jsonOf(passGrpc)['split']].flatMap((one) =>
        listOf(jsonOf(one)['others']).map((other) => other['upstream']),
      ),
    ]),
  );
  return new Map([...all].filter(([name]) => used.has(name)));
}

// Two that say the same are one: the older is served, as specified, and the other one stays in the status of its own.
function withoutDoubles(drafts: readonly RouteDraft[]): readonly RouteDraft[] {
  const seen = new Set<string>();
  return drafts.filter(({ config }) => {
    const key = JSON.stringify(config['match']);
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}

function listenersOf(
  gateways: readonly BoundGateway[],
  others: readonly Json[],
  { filePorts }: Settings,
): readonly Json[] {
  if (filePorts === undefined) return [];
  const own = new Set(filePorts.map(({ port }) => port));
  const byPort = new Map<number, Map<string, Json>>();
  const bound = gateways.flatMap(({ listeners }) => listeners);
  for (const { local, isSecure, certificates } of bound) {
    if (local === undefined || own.has(local)) continue;
    const known = byPort.get(local) ?? new Map<string, Json>();
    byPort.set(local, known);
    if (isSecure) for (const one of certificates) known.set(one.cert, { ...one });
  }
  for (const { port, certificates } of others) {
    const known = byPort.get(Number(port)) ?? new Map<string, Json>();
    byPort.set(Number(port), known);
    for (const one of listOf(certificates)) known.set(String(one['cert']), one);
  }
  return [...byPort]
    .toSorted(([a], [b]) => a - b)
    .map(([port, certificates]) => ({
      port,
      http2: true,
      ...(certificates.size > 0 && { tls: { certificates: [...certificates.values()] } }),
    }));
}

function portsOf(listeners: readonly Json[], { filePorts, environmentPort }: Settings): ReadonlySet<number> {
  const own = filePorts?.map(({ port }) => port) ?? [environmentPort];
  return new Set([...own, ...listeners.map(({ port }) => Number(port))]);
}

function otherStatuses(
  scene: { readonly view: ClusterView; readonly settings: Settings },
  gateways: readonly BoundGateway[],
  { policies, backends }: { readonly policies: Policies; readonly backends: Backends },
): readonly StatusDraft[] {
  const { controller } = scene.settings;
  const addresses = addressesOf(scene);
  const ancestor = (of: Resource, conditions: readonly Condition[]): Json => ({
    ancestors: ancestorsOf(of, gateways).map((ancestorRef) => ({
      ancestorRef,
      controllerName: controller,
      conditions,
    })),
  });
  return [
    ...ourClasses(scene).map((of): StatusDraft => ({
      kind: 'GatewayClass',
      of,
      status: { conditions: [classCondition(of)] },
    })),
    ...gateways.map((one): StatusDraft => ({
      kind: 'Gateway',
      of: one.gateway,
      status: gatewayStatus(one, addresses),
    })),
    ...policies.all.map((of): StatusDraft => ({
      kind: 'GatehousePolicy',
      of,
      status: { conditions: [policies.verdictOf(of)] },
    })),
    ...[...backends.tlsPolicies].map(({ policy: of, condition, resolved }): StatusDraft => ({
      kind: 'BackendTLSPolicy',
      of,
      status: ancestor(of, [condition, resolved]),
    })),
  ];
}

function classCondition({ spec }: Resource): Condition {
  if (spec['parametersRef'] === undefined) return holds('Accepted');
  return fails(
    'Accepted',
    'InvalidParameters',
    'parametersRef: is not supported; options are in the configuration of the gateway',
  );
}

// The specification wants the Gateways that are affected; at most sixteen.
function ancestorsOf({ namespace }: Resource, gateways: readonly BoundGateway[]): readonly Json[] {
  return gateways.slice(0, 16).map(({ gateway }) => ({
    group: 'gateway.networking.k8s.io',
    kind: 'Gateway',
    name: gateway.name,
    ...(gateway.namespace !== namespace && { namespace: gateway.namespace }),
  }));
}

function below(broken: BrokenObjects, kind: string): BrokenObjects {
  const own = [...broken].filter(([key]) => key.startsWith(`${kind} `));
  return new Map(own.map(([key, message]) => [key.slice(kind.length + 1), message]));
}
