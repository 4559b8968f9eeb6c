import type { ConfigFault } from '../config/config-fault.ts';
import { FaultPlaces } from './fault-places.ts';
import type { GatewayConfig } from './gateway.schema.ts';
import type { GatewaySource } from './table-builder.ts';

type Labels = Readonly<Record<string, string>>;
type Path = readonly (string | number)[];

/** What one place of the file says of targets with certain labels, and the upstreams whose targets are meant. */
interface Saying {
  readonly path: Path;
  readonly labels: Labels;
  readonly upstreams: readonly string[];
}

/**
 * Warns of labels that edits are made for and no target has. Those of upstreams whose targets are found while the gateway
 * runs cannot be known.
 */
export function unknownLabels(source: GatewaySource): ConfigFault[] {
  const places = new FaultPlaces(source);
  const known = new Map<string, readonly Labels[] | undefined>();
  const labelsOf = (name: string): readonly Labels[] | undefined => {
    if (!known.has(name)) known.set(name, staticLabels(source.value, name));
    return known.get(name);
  };
  return sayings(source.value).flatMap(({ path, labels, upstreams }) => {
    const all = upstreams.map(labelsOf);
    if (all.length === 0 || all.includes(undefined)) return [];
    const wanted = Object.entries(labels);
    if (all.flat().some((one) => one !== undefined && wanted.every(([name, value]) => one[name] === value)))
      return [];
    const text = wanted.map(([name, value]) => `${name}: ${value}`).join(', ');
    const message = `no target of ${upstreams.join(', ')} is labeled ${text}, so that nothing is edited for it`;
    return places.placeSource({ path: [...path, 'labels'], message });
  });
}

function sayings({ routes, upstreams }: GatewayConfig): Saying[] {
  const ofRoutes = routes.flatMap((route, index) => {
    const { of: versions = {} } = (route['versions'] ?? {}) as Partial<Versions>;
    const all = Object.values(versions).map(({ upstream }) => upstream);
    const own = typeof route.upstream === 'string' ? [route.upstream] : all;
    const parts = Object.entries(versions).flatMap(([name, { policies, upstream }]) =>
      sayingsOf(policies, ['routes', index, 'versions', 'of', name], [upstream]),
    );
    return [...sayingsOf(route.policies, ['routes', index], own), ...parts];
  });
  const ofUpstreams = Object.entries(upstreams).flatMap(([name, { policies }]) =>
    sayingsOf(policies, ['upstreams', name], [name]),
  );
  return [...ofRoutes, ...ofUpstreams];
}

type Policies = GatewayConfig['routes'][number]['policies'];
interface Versions {
  readonly of: Readonly<Record<string, { readonly upstream: string; readonly policies?: Policies }>>;
}

function sayingsOf(policies: Policies, at: Path, upstreams: readonly string[]): Saying[] {
  const transform = policies?.transform;
  if (transform === undefined || transform === 'off') return [];
  return (transform.perTarget ?? []).map(({ labels }, index) => {
    return { path: [...at, 'policies', 'transform', 'perTarget', index], labels, upstreams };
  });
}

function staticLabels({ upstreams }: GatewayConfig, name: string): readonly Labels[] | undefined {
  const upstream = upstreams[name] as
    | { targets?: readonly { labels: Labels }[]; discovery?: unknown }
    | undefined;
  if (upstream?.discovery !== undefined) return undefined;
  return upstream?.targets?.map(({ labels }) => labels);
}
