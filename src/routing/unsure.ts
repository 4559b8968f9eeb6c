import type { ConfigFault } from '../config/config-fault.ts';
import type { ConfigPath } from '../config/config-path.ts';
import { nearestName } from '../config/nearest-name.ts';
import type { Cuts } from '../config/remains.ts';
import { policyRegistry } from '../policies/order.ts';
import type { RouteDefinition } from './route.ts';

/** What is not known of a route, because it is said where the form of the configuration is at fault. */
export interface Unsure {
  /** Policies that may be in force on it, or not. */
  readonly policies: ReadonlySet<string>;
  /** What its stages could know of the route, the upstream or the configuration. */
  readonly facts: ReadonlySet<UnsureFact>;
  /** Whether an upstream may be there, though it is not. */
  isUnsure(upstream: string): boolean;
}

/** What may be unknown besides policies. */
export type UnsureFact = 'upstream' | 'match' | 'action' | 'tiers';

/** In place of the name of a policy, where all of them are unknown. */
const ALL = '*';

/** Keys of routes and what is not known without them; what others say is the business of the action. */
const OF_ROUTE: Readonly<Record<string, readonly UnsureFact[]>> = {
  match: ['match'],
  paths: ['match'],
  upstream: ['upstream'],
  policies: [],
  // No stage looks at these.
  retry: [],
  hedge: [],
  identity: [],
  priority: [],
};
const SECTIONS = [
  'modules',
  'include',
  'defaults',
  'identity',
  'access',
  'tiers',
  'upstreams',
  'routes',
  'graphql',
];

/** Tells what follows from what is wrong in a configuration that was cut to what its schema takes. */
export class UnsureParts {
  readonly #paths: readonly ConfigPath[];
  readonly #routeIds: readonly string[];
  readonly #upstreams: ReadonlySet<string>;
  readonly #hasLostUpstreams: boolean;
  readonly #ofRoutes: ReadonlyMap<string, readonly ConfigPath[]>;

  /** @param originOf where the route at an index stands, as definitions have it. */
  constructor({ paths, routeIds }: Cuts, originOf: (index: number) => string = () => '') {
    // A key that is none takes with it what the key was that it was meant to be.
    this.#paths = paths.map(([section = '', ...below]) => [meant(String(section), SECTIONS), ...below]);
    this.#routeIds = routeIds;
    const ofUpstreams = this.#paths.filter(([section]) => section === 'upstreams');
    this.#upstreams = new Set(ofUpstreams.flatMap(([, name]) => (name === undefined ? [] : [String(name)])));
    this.#hasLostUpstreams = ofUpstreams.some(({ length }) => length === 1);
    const ofRoutes = new Map<string, ConfigPath[]>();
    for (const [section, index, ...below] of this.#paths) {
      if (section !== 'routes' || typeof index !== 'number') continue;
      const origin = originOf(index);
      ofRoutes.set(origin, [...(ofRoutes.get(origin) ?? []), below]);
    }
    this.#ofRoutes = ofRoutes;
  }

  /** Whether a part of the route at a place is not known. */
  isUnsureRoute(origin: string): boolean {
    return this.#ofRoutes.has(origin);
  }

  /**
   * What is unsure about a route; undefined where all of it is known.
   *
   * @param isOfFile whether it stands under `routes`.
   */
  of({ origin, upstream, policies: levels, below }: RouteDefinition, isOfFile: boolean): Unsure | undefined {
    const own = this.#ofRoutes.get(origin) ?? [];
    const policies = new Set(own.flatMap(policiesOf));
    const facts = new Set(own.flatMap(factsOf));
    const widen = (names: readonly string[]): void => {
      for (const name of names)
        if (!levels.some((level) => level[name as keyof typeof level] !== undefined)) policies.add(name);
    };
    for (const [section, name, ...rest] of this.#paths) {
      if (section === 'upstreams' && (name === undefined || name === upstream)) {
        const lost = policiesOf(rest);
        if (lost.length === 0) facts.add('upstream');
        widen(name === undefined ? [ALL] : lost);
      }
      if (section === 'identity') policies.add('authentication');
      if (section === 'tiers') facts.add('tiers');
      if (section === 'access') widen(['authorization']);
      if (section === 'defaults') widen(name === undefined ? [ALL] : policiesOf([name, ...rest]));
      const isOfSection = !isOfFile || below !== undefined;
      if (isOfSection && section !== 'upstreams' && name !== undefined)
        for (const policy of policiesOf([name, ...rest])) policies.add(policy);
    }
    if (policies.size + facts.size + own.length === 0) return undefined;
    return { policies, facts, isUnsure: (one) => this.isUnsure(one) };
  }

  /** Whether an upstream of a name may be there, or be another one than it seems. */
  isUnsure(upstream: string): boolean {
    return this.#hasLostUpstreams || this.#upstreams.has(upstream);
  }

  /** Whether a fault would be there as well if all that was cut were right. */
  isSure({ key, message, routeId }: ConfigFault): boolean {
    if (routeId !== undefined && this.#routeIds.includes(routeId)) return false;
    if (this.#routeIds.some((id) => message.includes(`"${id}"`))) return false;
    for (const name of this.#upstreams)
      if (message.includes(`"${name}"`) || key.startsWith(`upstreams[${name}]`)) return false;
    if (this.#hasLostUpstreams && message.includes('upstream')) return false;
    return this.#paths.every((path) => !isConsequence(path, key));
  }
}

/** Which policies are lost with a place. */
function policiesOf(path: ConfigPath): readonly string[] {
  const keys = path.map((key) => (typeof key === 'string' ? meant(key, ['policies']) : key));
  const at = keys.lastIndexOf('policies');
  if (at < 0) return [];
  const name = keys[at + 1];
  if (name === undefined) return [ALL];
  return [meant(String(name), Object.keys(policyRegistry))];
}

function factsOf([key = ALL]: ConfigPath): readonly UnsureFact[] {
  return OF_ROUTE[meant(String(key), Object.keys(OF_ROUTE))] ?? ['action'];
}

function meant(key: string, names: readonly string[]): string {
  return names.includes(key) ? key : (nearestName(key, names) ?? key);
}

function isConsequence([section]: ConfigPath, key: string): boolean {
  // What they say of routes was sorted out with these.
  if (section === 'routes' || section === 'upstreams' || section === 'defaults') return false;
  if (section === 'modules' && key === 'graphql') return true;
  return key === section || key.startsWith(`${section}.`) || key.startsWith(`${section}[`);
}
