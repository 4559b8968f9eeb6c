import type { AccessTable } from '../access-table.ts';
import type { GatewayConfig } from '../gateway.schema.ts';
import { mayMeet } from '../access-paths.ts';
import { parsePathPattern, type PathPattern } from '../path-pattern.ts';
import { RouteFault } from '../route-fault.ts';
import type { RouteDefinition } from '../route.ts';
import { boundOf, looser } from './bounds.ts';
import type { Granted, Teams, TeamSource } from './teams.ts';
import { isTight } from './tightness.ts';

/** A path that a team was given, and all below it. */
interface Grant {
  readonly team: string;
  readonly prefix: string;
  readonly grantedAt: string;
}

type Said = Readonly<Record<string, unknown>>;

/** What routes of teams may be and say. */
export class RouteRights {
  readonly #teams: Teams;
  readonly #config: GatewayConfig;
  readonly #access: AccessTable | undefined;
  /** By what they are for. */
  readonly #grants: ReadonlyMap<string, readonly Grant[]>;
  /** What the gateway answers itself, for services that trust it. */
  readonly #reserved: readonly string[];
  readonly #byFile: ReadonlyMap<string, TeamSource>;

  constructor(teams: Teams, config: GatewayConfig, access: AccessTable | undefined) {
    this.#teams = teams;
    this.#config = config;
    this.#access = access;
    this.#grants = Map.groupBy(teams.granted.flatMap(grantsOf), ({ prefix }) => prefix);
    const keys = config.identity?.signing?.path;
    this.#reserved = keys === undefined ? [] : [keys];
    this.#byFile = new Map(teams.sources.map((source) => [source.file, source]));
  }

  /** Everything that a route of a team may not be; nothing for other routes. */
  faultsOf(definition: RouteDefinition): RouteFault[] {
    const { team } = definition;
    const source = team === undefined ? undefined : this.#byFile.get(fileOf(definition));
    if (source === undefined) return [];
    const fault = (key: readonly string[], message: string): RouteFault =>
      new RouteFault(
        definition,
        key,
        `${message} (rights of the team ${source.team} at ${source.grantedAt})`,
      );
    const pattern = patternOf(definition);
    const { priority = 0 } = definition;
    const path = pattern && this.#pathFault(pattern, source);
    const host = hostFault(definition.match.hosts, source);
    return [
      ...(path === undefined ? [] : [fault(['match', 'path'], path)]),
      ...(host === undefined ? [] : [fault(['match', 'hosts'], host)]),
      ...(priority <= source.rights.priority
        ? []
        : [fault(['priority'], `expected at most ${source.rights.priority}; see \`priority\``)]),
      ...this.#loose(definition, source).map((name) => fault(['policies', name], looser(name))),
      ...(pattern !== undefined && this.#evadesAccess(definition, pattern, source)
        ? [fault(['policies', 'authorization'], 'would hold in place of what `access` says of its path')]
        : []),
    ];
  }

  /**
   * A route of a team without the paths that were given to others in particular and that its pattern takes as well, whatever its
   * hosts: neither what these have no route for, nor what they have while their file is left out.
   */
  fenced(definition: RouteDefinition): RouteDefinition {
    const pattern = definition.team === undefined ? undefined : patternOf(definition);
    if (pattern === undefined || (!pattern.wildcard && pattern.parameters.length === 0)) return definition;
    const [literal = '/'] = prefixesOf(pattern);
    const given = [...this.#grants].flatMap(([prefix, grants]) => {
      const isOthers = grants.every(({ team }) => team !== definition.team);
      return isOthers ? [prefix] : [];
    });
    const others = [...given, ...this.#reserved].filter(
      (prefix) => isBelow(prefix, literal) && mayTake(pattern, prefix),
    );
    if (others.length === 0) return definition;
    const { match } = definition;
    return { ...definition, match: { ...match, except: [...(match.except ?? []), ...others] } };
  }

  #pathFault(pattern: PathPattern, { team, rights }: TeamSource): string | undefined {
    const prefixes = prefixesOf(pattern);
    const [literal = '/'] = prefixes;
    // At a host it would come before the gateway's, and services would take its keys for the gateway's.
    if (this.#reserved.some((one) => one === literal || isBelow(literal, one)))
      return `${pattern.source} is where the gateway has its public keys (\`identity.signing\`)`;
    // The longest first: who was given that has it for itself.
    const all = prefixes.flatMap((prefix) => this.#grants.get(prefix) ?? []);
    const own = all.find((one) => one.team === team);
    if (own === undefined) return `${pattern.source} is not below ${rights.paths.join(', ')}; see \`paths\``;
    const [nearest = own] = all;
    if (nearest.prefix === own.prefix) return undefined;
    return `${pattern.source} is below ${nearest.prefix}, which ${nearest.grantedAt} gives to the team ${nearest.team}`;
  }

  #loose({ policies, upstream = '' }: RouteDefinition, { rights }: TeamSource): string[] {
    const { defaults, upstreams } = this.#config;
    const isOwn = this.#teams.ofUpstreams.has(upstream);
    const shared = isOwn ? undefined : upstreams[upstream]?.policies;
    const names = policies.flatMap((level) =>
      Object.entries(level as Said).flatMap(([name, said]) => {
        if (said === undefined || isTight(name, said, boundOf(name, rights, shared, defaults.policies)))
          return [];
        return [name];
      }),
    );
    return [...new Set(names)];
  }

  // What a route says of authorization itself holds in place of `access`.
  #evadesAccess(
    { policies, upstream, match }: RouteDefinition,
    pattern: PathPattern,
    { rights }: TeamSource,
  ): boolean {
    if (this.#access === undefined || rights.policies['authorization'] !== undefined) return false;
    const ofOwn = upstream !== undefined && this.#teams.ofUpstreams.has(upstream);
    const levels = [...policies, ofOwn ? this.#config.upstreams[upstream]?.policies : undefined];
    const isSaid = levels.some((level) => level?.authorization !== undefined);
    return isSaid && this.#access.rulesFor(pattern, match.methods).length > 0;
  }
}

/** The file in which a route stands. */
function fileOf({ origin }: RouteDefinition): string {
  return origin.replace(/:\d+:\d+$/, '');
}

// What is wrong with it is told by whoever compiles it.
function patternOf({ match, paths }: RouteDefinition): PathPattern | undefined {
  try {
    return parsePathPattern(match.path, paths?.encodedSlashes === 'pass' ? 'keep' : 'refuse');
  } catch {
    return undefined;
  }
}

function isBelow(prefix: string, other: string): boolean {
  return prefix !== other && (other === '/' || prefix.startsWith(`${other}/`));
}

// What is wrong with the form of a prefix keeps anybody from having a route there.
function mayTake(pattern: PathPattern, prefix: string): boolean {
  try {
    return mayMeet(pattern, parsePathPattern(`${prefix}/*`, 'keep'));
  } catch {
    return false;
  }
}

function grantsOf({ team, rights, grantedAt }: Granted): Grant[] {
  return rights.paths.map((prefix) => ({ team, prefix, grantedAt }));
}

/** What a path is below, the longest first: as far as its segments are texts. */
function prefixesOf({ segments }: PathPattern): string[] {
  const prefixes = ['/'];
  let prefix = '';
  for (const segment of segments) {
    if (segment.kind !== 'literal') break;
    prefix += `/${segment.text}`;
    prefixes.push(prefix);
  }
  return prefixes.toReversed();
}

function hostFault(hosts: readonly string[], { rights }: TeamSource): string | undefined {
  if (rights.hosts === undefined) return undefined;
  const allowed = rights.hosts;
  if (hosts.length === 0)
    return `expected hosts: its routes may only have ${allowed.join(', ')}; see \`hosts\``;
  const stray = hosts.find((host) => !allowed.some((one) => isHostOf(host, one)));
  return stray === undefined ? undefined : `${stray} is none of ${allowed.join(', ')}; see \`hosts\``;
}

function isHostOf(host: string, allowed: string): boolean {
  return (
    host === allowed ||
    (allowed.startsWith('*.') && host.endsWith(allowed.slice(1)) && host !== allowed.slice(1))
  );
}
