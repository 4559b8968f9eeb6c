import type { Route } from '../routing/route.ts';

type Raw = Record<string, unknown>;

/** The field by which a request says which copy of the route it is for. */
export const VARIANT_FIELD = 'x-gatehouse-bench';
/** So much passes every limit: a million in a second. */
const PLENTY = { rate: 1_000_000, per: '1s' };
const MANY_UNITS = 1_000_000_000;

/** A copy of the route without some of its policies. */
export interface Variant {
  /** The policies that it leaves out; none for the copy that the others are compared with. */
  readonly without: readonly string[];
  /** Value of {@link VARIANT_FIELD}; also the end of its id. */
  readonly name: string;
}

/** Why policies of a route are not measured one by one; undefined where they are. */
export function uncopied(raw: Raw | undefined): string | undefined {
  const why = 'what its policies cost is not measured one by one';
  if (raw === undefined)
    return `${why}: the route is no single one of the file, but of code or of a gRPC service`;
  if (raw['versions'] !== undefined) return `${why}: it has versions`;
  return raw['match'] === undefined ? `${why}: it has no \`match\` of its own` : undefined;
}

/** The copies that say what each policy costs; none of a route that cannot be copied. */
export function variantsOf({ policies, levels }: Route, raw: Raw | undefined): readonly Variant[] {
  if (uncopied(raw) !== undefined) return [];
  const named = Object.keys(policies).filter(
    (name) => levels[name] !== 'gateway' && levels[name] !== undefined,
  );
  const left = named.filter((name) => name !== 'authentication').map((name) => [name]);
  const open = named.includes('authentication') && policies.authentication !== 'public';
  // Whoever asks nobody who he is cannot ask what he may.
  const unknown = open
    ? [['authentication', ...named.filter((name) => name.toLowerCase().endsWith('authorization'))]]
    : [];
  return [[], ...unknown, ...left].map((without) => ({
    without,
    name: without.length === 0 ? 'all' : `without-${without[0]}`,
  }));
}

/** What of a configuration is changed to measure a route. */
export interface BenchConfigOptions {
  /** The index of the route in the file; undefined for one that is not in it. */
  readonly index: number | undefined;
  readonly variants: readonly Variant[];
  /** Where the upstreams are stood in for, by name: origins of their targets. Undefined leaves them as they are. */
  readonly targets: Readonly<Record<string, readonly string[]>> | undefined;
}

/**
 * A configuration for measuring: the same, with copies of the route, limits that let all pass, and targets that are stood in
 * for. Listeners are left out: the gateway listens on a port of its own, without TLS.
 *
 * @param given the file as it was read, variables filled in.
 */
export function benchConfig(given: unknown, { index, variants, targets }: BenchConfigOptions): Raw {
  const {
    listeners: _,
    floodLimit: _flood,
    connectionLimit: _limit,
    audit: _audit,
    ...config
  } = unlimited(given) as Raw;
  const routes = (config['routes'] ?? []) as Raw[];
  const route = index === undefined ? undefined : routes[index];
  const copies = route === undefined ? [] : variants.map((variant) => copyOf(route, variant));
  return {
    ...config,
    ...(targets !== undefined && { upstreams: stoodIn(config['upstreams'] as Raw, targets) }),
    ...(config['routes'] !== undefined && { routes: [...routes, ...copies] }),
  };
}

function copyOf(route: Raw, { without, name }: Variant): Raw {
  const match = route['match'] as Raw;
  const off = without.map((policy) => [policy, policy === 'authentication' ? 'public' : 'off'] as const);
  return {
    ...route,
    id: `${String(route['id'])}--${name}`,
    match: { ...match, headers: { ...(match['headers'] as Raw | undefined), [VARIANT_FIELD]: name } },
    policies: { ...(route['policies'] as Raw | undefined), ...Object.fromEntries(off) },
  };
}

function stoodIn(upstreams: Raw = {}, targets: Readonly<Record<string, readonly string[]>>): Raw {
  return Object.fromEntries(
    Object.entries(upstreams).map(([name, one]) => {
      const { discovery: _, tls: _tls, targets: given, ...rest } = one as Raw;
      const { active: _active, ...health } = (rest['health'] ?? {}) as Raw;
      const places = (targets[name] ?? []).map((url, at) => {
        const target = Array.isArray(given) ? (given[at] as unknown) : undefined;
        return typeof target === 'object' ? { ...target, url } : url;
      });
      return [name, { ...rest, targets: places, ...(rest['health'] !== undefined && { health }) }];
    }),
  );
}

/** Limits of rates and quotas that let all pass, wherever they stand. */
function unlimited(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unlimited);
  if (typeof value !== 'object' || value === null) return value;
  const { burst: _, ...given } = value as Raw;
  const isRate = 'rate' in given && 'per' in given;
  const isQuota = typeof given['limit'] === 'number' && 'window' in given;
  const kept = isRate ? given : (value as Raw);
  const raised = isRate ? { ...kept, ...PLENTY } : isQuota ? { ...kept, limit: MANY_UNITS } : kept;
  return Object.fromEntries(Object.entries(raised).map(([key, one]) => [key, unlimited(one)]));
}
