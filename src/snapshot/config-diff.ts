import { isDeepStrictEqual } from 'node:util';
import type { GatewayConfig, RouteConfig } from '../routing/gateway.schema.ts';
import { atOnce, mapInSteps, type Steps } from '../routing/steps.ts';
import type { Principal } from '../exchange/principal.ts';
import type { Route } from '../routing/route.ts';
import { judgeKnown, rolesIn } from '../routing/who-may.ts';
import { restartFaults } from './restart-keys.ts';
import { rerouted, type Rerouted } from './rerouted.ts';
import type { Snapshot } from './snapshot.ts';

/** Something that has another value; what is absent is `undefined`. */
export interface Change {
  readonly what: string;
  readonly from: unknown;
  readonly to: unknown;
}

/** What a role lets its holders call, and did not, or the other way round. */
export interface AccessChange {
  readonly id: string;
  /** Undefined for who has no role. */
  readonly role: string | undefined;
  readonly from: string;
  readonly to: string;
}

/** A route that is there or not. */
export interface RouteNote {
  readonly id: string;
  readonly methods: readonly string[];
  readonly path: string;
}

/** What changes in meaning between two configurations. */
export interface ConfigDiff {
  readonly added: readonly RouteNote[];
  readonly removed: readonly RouteNote[];
  /** Routes that let everybody in, and did not. */
  readonly public: readonly RouteNote[];
  /** Requests that another route takes, although the one that took them is still there. */
  readonly shadowed: readonly Rerouted[];
  readonly changed: readonly { readonly id: string; readonly changes: readonly Change[] }[];
  readonly upstreams: readonly { readonly name: string; readonly changes: readonly Change[] }[];
  /** What callers may do who have a role and nothing else, where that is not what it was. */
  readonly access: readonly AccessChange[];
  /** Everything that is not of one route or one upstream. */
  readonly settings: readonly Change[];
  /** The keys whose change a reload refuses. */
  readonly needsRestart: readonly string[];
}

/** Compares what two configurations do; how they say it does not matter. */
export function diffConfigs(before: Snapshot, after: Snapshot): ConfigDiff {
  return atOnce(diffInSteps(before, after));
}

/** The same in steps, between which whoever serves meanwhile can let others have their turn. */
export function* diffInSteps(before: Snapshot, after: Snapshot): Steps<ConfigDiff> {
  const old = byId(before);
  const now = byId(after);
  const both = [...now.values()].filter(({ id }) => old.has(id));
  yield;
  const [oldMeaning, newMeaning] = [meanings(before), meanings(after)];
  const isNewlyPublic = (route: Route): boolean => isPublic(route) && !isPublic(old.get(route.id));
  const shadowed = yield* rerouted(before.table, after.table);
  const changed = yield* mapInSteps(both, (route) => {
    const changes = changesOf(oldMeaning(old.get(route.id) as Route), newMeaning(route));
    return changes.length === 0 ? [] : [{ id: route.id, changes }];
  });
  const access = yield* accessChanges(before, after, both);
  return {
    added: [...now.values()].filter(({ id }) => !old.has(id)).map(noteOf),
    removed: [...old.values()].filter(({ id }) => !now.has(id)).map(noteOf),
    public: [...now.values()].filter(isNewlyPublic).map(noteOf),
    shadowed: shadowed.filter(({ from }) => now.has(from)),
    changed,
    access,
    upstreams: upstreamChanges(before.source.value, after.source.value),
    settings: changesOf(settingsOf(before.source.value), settingsOf(after.source.value)),
    needsRestart: restartFaults(before.source, after.source).map(({ key }) => key),
  };
}

/** Whether two configurations mean the same. */
export function isEmpty(diff: ConfigDiff): boolean {
  return Object.values(diff).every((part: readonly unknown[]) => part.length === 0);
}

type Meaning = Readonly<Record<string, unknown>>;

function byId({ table }: Snapshot): ReadonlyMap<string, Route> {
  return new Map(table.routes.map((route) => [route.id, route]));
}

function noteOf({ id, match, pattern }: Route): RouteNote {
  return { id, methods: match.methods, path: pattern.source };
}

function isPublic(route: Route | undefined): boolean {
  return route?.policies.authentication === 'public';
}

// What a route does with a request is compiled to code: it is compared as the file says it.
function meanings({ source }: Snapshot): (route: Route) => Meaning {
  const declared = new Map(source.value.routes.map((one) => [one.id, one]));
  return ({ id, match, pattern, priority, paths, upstream, policies, action }) => {
    // A translated route of the file is one of the table for each method: `orders.GetOrder`.
    const owner = declared.get(id) ?? (action.kind === 'handler' ? undefined : declared.get(ownerOf(id)));
    return {
      methods: match.methods,
      hosts: match.hosts,
      path: pattern.source,
      headers: match.headers,
      query: match.query,
      cookies: match.cookies,
      upstream,
      ...(owner && actionOf(owner)),
      priority,
      paths,
      ...Object.fromEntries(Object.entries(policies).map(([name, options]) => [`policies.${name}`, options])),
    };
  };
}

// What its kind says about a route; the rest is told of what was compiled.
function actionOf({
  id: _id,
  match: _match,
  upstream: _upstream,
  policies: _policies,
  ...own
}: RouteConfig): Meaning {
  return own;
}

/** Most roles that are looked at, those in the order of the alphabet first. */
const MOST_ROLES = 100;

function* accessChanges(
  before: Snapshot,
  after: Snapshot,
  both: readonly Route[],
): Steps<readonly AccessChange[]> {
  const old = byId(before);
  const roles = [before, after].flatMap(({ table, source }) =>
    rolesIn(table.routes, Object.keys(source.value.identity?.roles ?? {})),
  );
  const holders = [undefined, ...[...new Set(roles)].sort().slice(0, MOST_ROLES)];
  const found: AccessChange[] = [];
  for (const role of holders) {
    const holder = holderOf(role);
    const changes = yield* mapInSteps(both, (route) => {
      const from = judgedOf(old.get(route.id) as Route, holder);
      const to = judgedOf(route, holder);
      return from === to ? [] : [{ id: route.id, role, from, to }];
    });
    found.push(...changes);
  }
  return found;
}

/** Somebody with a role and nothing else. */
function holderOf(role: string | undefined): Principal {
  return {
    id: 'somebody', scheme: 'jwt', issuer: undefined, subject: 'somebody', clientId: undefined, apiKeyId: undefined,
    roles: role === undefined ? [] : [role], permissions: [], scopes: [], email: undefined, tenant: undefined,
    tier: undefined, claims: {},
  }; // prettier-ignore
}

// What keeps somebody out may have another name; what counts is whether it does.
function judgedOf(route: Route, holder: Principal): string {
  // Which credentials a route takes is told as such.
  return judgeKnown(route, holder)
    .map(({ may, why, path, methods }) => {
      const where = path === undefined ? '' : `${methods?.join(',') ?? '*'} ${path}: `;
      return where + (may === 'depends' ? `depends on ${why}` : may);
    })
    .join('; ');
}

function ownerOf(id: string): string {
  const end = id.lastIndexOf('.');
  return end < 0 ? id : id.slice(0, end);
}

function upstreamChanges(before: GatewayConfig, after: GatewayConfig): ConfigDiff['upstreams'] {
  const names = [...new Set([...Object.keys(before.upstreams), ...Object.keys(after.upstreams)])];
  return names.flatMap((name) => {
    // Their policies are those of the routes that lead to them, and are told there.
    const { policies: _before, ...old } = before.upstreams[name] ?? {};
    const { policies: _after, ...now } = after.upstreams[name] ?? {};
    const changes = changesOf(old, now);
    return changes.length === 0 ? [] : [{ name, changes }];
  });
}

// The rest of the file is told by routes and upstreams, defaults included.
function settingsOf(config: GatewayConfig): Meaning {
  const {
    routes: _routes,
    upstreams: _upstreams,
    defaults: _defaults,
    access: _access,
    ...settings
  } = config;
  const sections = Object.entries(settings).flatMap(
    ([section, value]: [string, unknown]): [string, unknown][] =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.entries(value).map(([key, part]) => [`${section}.${key}`, part])
        : [[section, value]],
  );
  // Those of the GraphQL door are of its route.
  return Object.fromEntries(sections.filter(([key]) => key !== 'graphql.policies'));
}

function changesOf(before: Meaning, after: Meaning): readonly Change[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((what) => {
    const [from, to] = [before[what], after[what]];
    return isDeepStrictEqual(from, to) ? [] : [{ what, from, to }];
  });
}
