import type { ConfigFault } from '../config/config-fault.ts';
import { nearestName } from '../config/nearest-name.ts';
import { FaultPlaces } from '../routing/fault-places.ts';
import type { RouteTable } from '../routing/route-table.ts';
import type { GatewaySource } from '../routing/table-builder.ts';

type Path = readonly (string | number)[];

/** Lists of roles that somebody needs to have, or must not. */
const ROLE_LISTS: ReadonlySet<string> = new Set(['anyRole', 'allRoles']);
/** Sections that name no roles of callers. */
const ELSEWHERE: ReadonlySet<string> = new Set(['identity', 'tracing', 'logging', 'audit']);
/** Shorter names are too near to each other. */
const LEAST_LENGTH = 4;
/** Stands between a tenant and its role. */
const OF_TENANT = '/';

/**
 * Warns of roles that are asked for and look like a slip of one that `identity.roles` defines. Tokens may name any role, so
 * that a name alone is no fault: it has to be one letter, its case or a separator away from a defined one, and not defined
 * itself. In a `deny` such a slip lets in who was to be refused.
 */
export function misspelledRoles({ routes }: RouteTable, source: GatewaySource): ConfigFault[] {
  const { identity } = source.value;
  const defined = Object.entries(identity?.roles ?? {});
  if (defined.length === 0) return [];
  const known = new Set(defined.flatMap(([name, { includes }]) => [name, ...includes]));
  const places = new FaultPlaces(source);
  const seen = new Set<object>();
  const inFile = Object.entries(source.value)
    .filter(([section]) => !ELSEWHERE.has(section))
    .flatMap(([section, value]) => slipsIn(value, { path: [section], known, seen }))
    .map((slip) => places.placeSource(slip));
  const inCode = routes.flatMap((route) => {
    const { authorization } = route.policies;
    // What the file says holds for routes of classes, too, and was looked at.
    if (authorization === undefined) return [];
    const slips = slipsIn(authorization, { path: ['policies', 'authorization'], known, seen });
    return slips.map(({ path, message }) => places.place({ definition: route, key: path, message }));
  });
  return [...inFile, ...inCode];
}

interface Looking {
  readonly path: Path;
  readonly known: ReadonlySet<string>;
  /** What was looked at. */
  readonly seen: Set<object>;
}

interface Slip {
  readonly path: Path;
  readonly message: string;
}

function slipsIn(value: unknown, looking: Looking): Slip[] {
  if (typeof value !== 'object' || value === null || looking.seen.has(value)) return [];
  looking.seen.add(value);
  const isList = Array.isArray(value);
  return Object.entries(value).flatMap(([key, below]) => {
    const path = [...looking.path, isList ? Number(key) : key];
    if (ROLE_LISTS.has(key) && Array.isArray(below)) return slipsOf(below, { ...looking, path });
    return slipsIn(below, { ...looking, path });
  });
}

function slipsOf(names: readonly unknown[], { path, known, seen }: Looking): Slip[] {
  // A policy that was put together from several has the lists of those.
  if (seen.has(names)) return [];
  seen.add(names);
  return names.flatMap((name, at) => {
    if (typeof name !== 'string' || known.has(name) || name.includes(OF_TENANT)) return [];
    const nearest = nearestName(name, known, name.length < LEAST_LENGTH ? 0 : 1);
    if (nearest === undefined) return [];
    const message = `identity.roles has no "${name}"; did you mean "${nearest}"? If tokens name this role, add it there`;
    return [{ path: [...path, at], message }];
  });
}
