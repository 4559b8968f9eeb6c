import { keyOf, listOf, type Condition, type Json, type Resource } from '../resource.ts';
import type { Backends } from './backends.ts';
import { fails, holds } from './conditions.ts';
import { ObjectFault } from './faults.ts';
import type { BoundGateway } from './gateways.ts';
import { parentsOf, parentStatus, placesOf, type Place } from './parents.ts';
import type { Policies } from './policies.ts';
import { withoutReserved } from './reserved-paths.ts';
import { readGrpcRule, readRule, type ReadRule } from './rules.ts';

/** A route of the file, and whose it is. */
export interface RouteDraft {
  readonly id: string;
  readonly config: Json;
  readonly owner: Resource;
  /** Whose policies it has, by the name of the policy. */
  readonly policies: ReadonlyMap<string, Resource>;
  /** Ports that it is served at; undefined for whatever there are. */
  readonly ports?: readonly number[];
}

/** What routes are made with. */
export interface RouteDeps {
  readonly gateways: readonly BoundGateway[];
  readonly backends: Backends;
  readonly policies: Policies;
  readonly controller: string;
  readonly basePolicies: Json;
  /** Paths that are no object's. */
  readonly reserved: readonly string[];
  /** Ports that anything is listened for at: a route that is served at all of them need not name them. */
  readonly allPorts: ReadonlySet<number>;
  /** What was found wrong with objects when their routes were compiled, by their keys. */
  readonly broken: ReadonlyMap<string, string>;
}

/** What a route of the cluster is made into, before it is known whether there are too many. */
export interface DraftedRoute {
  readonly of: Resource;
  readonly drafts: readonly RouteDraft[];
  readonly verdicts: ReturnType<typeof parentsOf>;
  readonly rules: readonly ReadRule[];
  readonly fault: Condition | undefined;
}

/** Translates an HTTPRoute or GRPCRoute. */
export function draftRoute(of: Resource, deps: RouteDeps): DraftedRoute {
  const verdicts = parentsOf(of, deps.gateways);
  if (verdicts.length === 0) return { of, drafts: [], verdicts, rules: [], fault: undefined };
  const { rules, fault } = readRules(of, deps);
  const drafts = fault === undefined ? draftsOf(of, rules, deps, verdicts) : [];
  return { of, drafts, verdicts, rules, fault };
}

/**
 * The status of a route, and a count of it at the listeners that serve it.
 *
 * @param refusal why it is not served all the same.
 * @returns undefined where none of its parents is ours, nor was.
 */
export function routeStatus(drafted: DraftedRoute, controller: string, refusal?: string): Json | undefined {
  const { of, verdicts, rules } = drafted;
  if (verdicts.length === 0) return withdrawn(of, controller);
  const fault = refusal === undefined ? drafted.fault : fails('Accepted', 'UnsupportedValue', refusal);
  const unresolved = rules.flatMap(({ faults }) => faults);
  const [first] = unresolved;
  const resolved =
    first === undefined
      ? holds('ResolvedRefs')
      : fails('ResolvedRefs', first.reason, unresolved.map(({ message }) => message).join('; '));
  for (const { listener } of verdicts.flatMap((one) => (fault === undefined ? one.attachments : [])))
    listener.attached.add(`${of.kind} ${keyOf(of)}`);
  const parents = verdicts.map(({ ref, accepted }) => {
    const own: Condition = accepted.status === 'True' && fault !== undefined ? fault : accepted;
    return parentStatus(ref, controller, [own, resolved]);
  });
  return { parents };
}

// Of a Gateway that it does not name any more nothing stays said.
function withdrawn({ status }: Resource, controller: string): Json | undefined {
  const isSaid = listOf(status['parents']).some((one) => one['controllerName'] === controller);
  return isSaid ? { parents: [] } : undefined;
}

function readRules(
  route: Resource,
  { backends, broken, reserved }: RouteDeps,
): { readonly rules: readonly ReadRule[]; readonly fault?: Condition } {
  const known = broken.get(`${route.kind} ${keyOf(route)}`);
  if (known !== undefined) return { rules: [], fault: fails('Accepted', 'UnsupportedValue', known) };
  const read = route.kind === 'GRPCRoute' ? readGrpcRule : readRule;
  try {
    const rules = listOf(route.spec['rules']);
    return {
      rules: rules.map((rule, index) => {
        const one = read(route, rule, `rules[${index}]`, backends);
        const field = `rules[${index}].matches`;
        return { ...one, matches: one.matches.map((match) => withoutReserved(match, reserved, field)) };
      }),
    };
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
    ports: place.ports.toSorted((a, b) => a - b),
  };
}
