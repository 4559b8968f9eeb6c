import { keyOf, listOf, type Condition, type Json, type Resource } from '../resource.ts';
import type { Backends } from './backends.ts';
import { fails, holds } from './conditions.ts';
import { ObjectFault } from './faults.ts';
import type { BoundGateway } from './gateways.ts';
import { parentsOf, parentStatus, placesOf, type Place } from './parents.ts';
import type { Policies } from './policies.ts';
import type { Settings } from './settings.ts';
import { readGrpcRule, readRule, type ReadRule } from './rules.ts';

/** A route of the file, and whose it is. */
export interface RouteDraft {
  readonly id: string;
  readonly config: Json;
  readonly owner: Resource;
  /** Whose policies it has, by the name of the policy. */
  readonly policies: ReadonlyMap<string, Resource>;
}

/** What routes are made with. */
export interface RouteDeps {
  readonly gateways: readonly BoundGateway[];
  readonly backends: Backends;
  readonly policies: Policies;
  readonly controller: string;
  readonly basePolicies: Json;
  /** Ports that anything is listened for at: a route that is served at all of them need not name them. */
  readonly allPorts: ReadonlySet<number>;
  /** What was found wrong with objects when their routes were compiled, by their keys. */
  readonly broken: ReadonlyMap<string, string>;
  readonly settings: Pick<Settings, 'maxRoutes'>;
}

/** Why what comes after `maxRoutes` is refused. */
export function tooMany({ maxRoutes }: Pick<Settings, 'maxRoutes'>): string {
  return `there are more than ${maxRoutes} routes (kubernetes.maxRoutes)`;
}

/** What a route of the cluster is made into. */
export interface TranslatedRoute {
  readonly drafts: readonly RouteDraft[];
  /** Undefined where none of its parents is ours, nor was. */
  readonly status: Json | undefined;
}

/** Translates an HTTPRoute or GRPCRoute. @param free how many routes may still be made. */
export function translateRoute(route: Resource, deps: RouteDeps, free: number): TranslatedRoute {
  const verdicts = parentsOf(route, deps.gateways);
  if (verdicts.length === 0) return { drafts: [], status: withdrawn(route, deps.controller) };
  const made = readRules(route, deps);
  const all = made.fault === undefined ? draftsOf(route, made.rules, deps, verdicts) : [];
  const isTooMany = all.length > free;
  const drafts = isTooMany ? [] : all;
  const read = isTooMany
    ? { ...made, fault: fails('Accepted', 'UnsupportedValue', tooMany(deps.settings)) }
    : made;
  const unresolved = read.rules.flatMap(({ faults }) => faults);
  const [first] = unresolved;
  const resolved =
    first === undefined
      ? holds('ResolvedRefs')
      : fails('ResolvedRefs', first.reason, unresolved.map(({ message }) => message).join('; '));
  for (const { listener } of verdicts.flatMap((one) => (read.fault === undefined ? one.attachments : [])))
    listener.attached.add(`${route.kind} ${keyOf(route)}`);
  const parents = verdicts.map(({ ref, accepted }) => {
    const own: Condition = accepted.status === 'True' && read.fault !== undefined ? read.fault : accepted;
    return parentStatus(ref, deps.controller, [own, resolved]);
  });
  return { drafts, status: { parents } };
}

// Of a Gateway that it does not name any more nothing stays said.
function withdrawn({ status }: Resource, controller: string): Json | undefined {
  const isSaid = listOf(status['parents']).some((one) => one['controllerName'] === controller);
  return isSaid ? { parents: [] } : undefined;
}

function readRules(
  route: Resource,
  { backends, broken }: RouteDeps,
): { readonly rules: readonly ReadRule[]; readonly fault?: Condition } {
  const known = broken.get(`${route.kind} ${keyOf(route)}`);
  if (known !== undefined) return { rules: [], fault: fails('Accepted', 'UnsupportedValue', known) };
  const read = route.kind === 'GRPCRoute' ? readGrpcRule : readRule;
  try {
    const rules = listOf(route.spec['rules']);
    return { rules: rules.map((rule, index) => read(route, rule, `rules[${index}]`, backends)) };
  } catch (error) {
    // What nobody has foreseen is a fault of this object alone, too.
    const reason = error instanceof ObjectFault ? error.reason : 'UnsupportedValue';
    const message = error instanceof Error ? error.message : String(error);
    return { rules: [], fault: fails('Accepted', reason, message) };
  }
}

function draftsOf(
  route: Resource,
  rules: readonly ReadRule[],
  deps: RouteDeps,
  verdicts: ReturnType<typeof parentsOf>,
): RouteDraft[] {
  const { policies } = deps;
  const places = placesOf(verdicts, (gateway, section) => {
    const attached = policies.at([{ of: gateway, section }]);
    return JSON.stringify([attached.policies, attached.broken?.name]);
  });
  return rules.flatMap((rule, ruleIndex) =>
    rule.matches.flatMap((match, matchIndex) =>
      places.map((place, placeIndex) => {
        const id = [
          route.kind.toLowerCase(),
          route.namespace,
          route.name,
          ruleIndex,
          matchIndex,
          placeIndex,
        ].join('.');
        return draft(id, { route, rule, match, place }, deps);
      }),
    ),
  );
}

interface Drafting {
  readonly route: Resource;
  readonly rule: ReadRule;
  readonly match: Json;
  readonly place: Place;
}

function draft(id: string, { route, rule, match, place }: Drafting, deps: RouteDeps): RouteDraft {
  const attached = deps.policies.at([
    { of: place.gateway, section: place.section },
    { of: route, section: rule.name },
  ]);
  const isEverywhere = [...deps.allPorts].every((port) => place.ports.includes(port));
  const whole: Json = {
    ...match,
    ...(place.hosts.length > 0 && { hosts: place.hosts }),
    ...(!isEverywhere && { ports: place.ports.toSorted((a, b) => a - b) }),
  };
  // Fails closed: without a policy that was meant to guard it, it is served to nobody.
  const answer =
    attached.broken === undefined
      ? { ...rule.route, policies: { ...deps.basePolicies, ...attached.policies, ...rule.policies } }
      : { respond: { status: 500 }, policies: { authentication: 'public' } };
  return {
    id,
    config: { id, match: whole, paths: { trailingSlash: 'distinct' }, ...answer },
    owner: route,
    policies: attached.of,
  };
}
