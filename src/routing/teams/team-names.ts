/** Between the name of a team and what it calls its own: legal in ids, cookies, labels and URLs as it is. */
export const SEPARATOR = '.';

/** What something of a team is called in the gateway. */
export function ownName(team: string, name: string): string {
  return `${team}${SEPARATOR}${name}`;
}

/** Where a route names an upstream. */
export interface UpstreamReference {
  readonly path: readonly (string | number)[];
  readonly name: string;
}

type Value = Readonly<Record<string, unknown>>;

/** Finds the upstreams that a route names, of whatever kind it is. */
export function upstreamsNamedBy(route: Value): readonly UpstreamReference[] {
  return PLACES.flatMap((place) => found(route, place, []));
}

/** A route with other names in place of those that it gives itself, its upstreams, and what routes share by name. */
export function renamed<Route extends Value>(
  route: Route,
  team: string,
  upstream: (name: string) => string,
): Route {
  let result: Value = route;
  for (const { path, name } of upstreamsNamedBy(route)) result = replaced(result, path, upstream(name));
  for (const place of SHARED)
    for (const { path, name } of found(result, place, []))
      result = replaced(result, path, ownName(team, name));
  return (typeof route['id'] === 'string' ? { ...result, id: ownName(team, route['id']) } : result) as Route;
}

/** An upstream with other names in place of what its policies say. */
export function renamedUpstream<Upstream>(
  one: Upstream,
  team: string,
  upstream: (name: string) => string,
): Upstream {
  const { id: _id, ...result } = renamed({ ...(one as Value), id: '' }, team, upstream);
  return result as Upstream;
}

/** Stands for each key of a map, or each item of a list. */
const EACH = Symbol('each');
type Place = readonly (string | typeof EACH)[];

const ASKED = ['policies', 'externalAuthorization', 'upstream'] as const;
const PLACES: readonly Place[] = [
  ['upstream'],
  ['canary', 'upstream'],
  ['mirror', 'upstream'],
  ['split', 'others', EACH, 'upstream'],
  ['passGrpc', 'split', 'others', EACH, 'upstream'],
  ['aggregate', 'calls', EACH, 'upstream'],
  ['versions', 'of', EACH, 'upstream'],
  ['versions', 'of', EACH, 'mirror', 'upstream'],
  ASKED,
  ['versions', 'of', EACH, ...ASKED],
];

const BUCKET = ['policies', 'rateLimit', EACH, 'bucket'] as const;
const QUOTA = ['policies', 'quota', EACH, 'name'] as const;
const OF_ALL: readonly Place[] = [
  BUCKET,
  QUOTA,
  // As they are written where there is only one.
  ['policies', 'rateLimit', 'bucket'],
  ['policies', 'quota', 'name'],
];
/** What routes share by its name: of a team it is among its own routes only. */
const SHARED: readonly Place[] = [
  ...OF_ALL,
  ...OF_ALL.map((place): Place => ['versions', 'of', EACH, ...place]),
];

function found(value: unknown, place: Place, path: readonly (string | number)[]): UpstreamReference[] {
  const [step, ...rest] = place;
  if (step === undefined) return typeof value === 'string' ? [{ path, name: value }] : [];
  if (typeof value !== 'object' || value === null) return [];
  if (step !== EACH) return found((value as Value)[step], rest, [...path, step]);
  const keys: readonly (string | number)[] = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return keys.flatMap((key) =>
    found((value as Readonly<Record<string | number, unknown>>)[key], rest, [...path, key]),
  );
}

function replaced(value: unknown, path: readonly (string | number)[], name: string): Value {
  const [step, ...rest] = path;
  if (step === undefined) return name as unknown as Value;
  if (Array.isArray(value))
    return value.map((one, at) =>
      at === step ? replaced(one, rest, name) : (one as unknown),
    ) as unknown as Value;
  const map = value as Value;
  return { ...map, [step]: replaced(map[step], rest, name) };
}
