import { keyOf, listOf, textOf, wordsOf, type Condition, type Json, type Resource } from '../resource.ts';
import { fails, holds } from './conditions.ts';
import { parentKey, type BoundGateway, type BoundListener, type RouteKind } from './gateways.ts';
import { commonHosts } from './hostnames.ts';

/** A listener that a route is attached to, and the hosts that they have in common. */
export interface Attachment {
  readonly listener: BoundListener;
  /** Empty for all. */
  readonly hosts: readonly string[];
}

/** What became of one of the parents of a route. */
export interface ParentVerdict {
  readonly ref: Json;
  readonly accepted: Condition;
  readonly attachments: readonly Attachment[];
}

/** What became of the parents of a route that are ours. */
export function parentsOf(route: Resource, gateways: readonly BoundGateway[]): readonly ParentVerdict[] {
  const ours = new Map(gateways.map((one) => [keyOf(one.gateway), one]));
  return listOf(route.spec['parentRefs']).flatMap((ref) => {
    const gateway = ours.get(parentKey(ref, route.namespace) ?? '');
    return gateway === undefined ? [] : [verdictOn(ref, route, gateway)];
  });
}

function verdictOn(ref: Json, route: Resource, { listeners }: BoundGateway): ParentVerdict {
  const refuse = (reason: string, message: string): ParentVerdict => ({
    ref,
    accepted: fails('Accepted', reason, message),
    attachments: [],
  });
  const named = listeners.filter(
    ({ name, port }) =>
      (ref['sectionName'] === undefined || ref['sectionName'] === name) &&
      (ref['port'] === undefined || ref['port'] === port),
  );
  if (named.length === 0) return refuse('NoMatchingParent', 'parentRefs: the Gateway has no such listener');
  const open = named.filter(
    (one) => one.kinds.includes(route.kind as RouteKind) && one.allows(route.namespace),
  );
  if (open.length === 0)
    return refuse(
      'NotAllowedByListeners',
      `parentRefs: no listener allows a ${route.kind} of the namespace ${route.namespace}`,
    );
  const hostnames = wordsOf(route.spec['hostnames']).map((host) => host.toLowerCase());
  const attachments = open.flatMap((listener): Attachment[] => {
    const hosts = commonHosts(listener.hostname, hostnames);
    return hosts === undefined ? [] : [{ listener, hosts }];
  });
  if (attachments.length === 0)
    return refuse('NoMatchingListenerHostname', 'hostnames: none of them is one of a listener');
  return { ref, accepted: holds('Accepted'), attachments };
}

/** Where a route is served: hosts, ports and the places of the Gateway whose policies hold. */
export interface Place {
  readonly hosts: readonly string[];
  readonly ports: readonly number[];
  readonly gateway: Resource;
  readonly section: string;
}

/** The places of a route, those that differ in nothing but the port together. */
export function placesOf(
  verdicts: readonly ParentVerdict[],
  policyKey: (gateway: Resource, section: string) => string,
): readonly Place[] {
  const places = new Map<string, Place & { ports: number[] }>();
  for (const { listener, hosts } of verdicts.flatMap(({ attachments }) => attachments)) {
    const { gateway, name, local } = listener;
    if (local === undefined) continue;
    const key = JSON.stringify([hosts.toSorted(), policyKey(gateway, name)]);
    const known = places.get(key);
    if (known === undefined) places.set(key, { hosts, ports: [local], gateway, section: name });
    else if (!known.ports.includes(local)) known.ports.push(local);
  }
  return [...places.values()];
}

/** What is written as the status of a parent. */
export function parentStatus(ref: Json, controllerName: string, conditions: readonly Condition[]): Json {
  const { group, kind, namespace, name, sectionName, port } = ref;
  const defined = Object.entries({ group, kind, namespace, name, sectionName, port }).filter(
    ([, value]) => (value !== undefined && textOf(value) !== '') || typeof value === 'number',
  );
  return { parentRef: Object.fromEntries(defined), controllerName, conditions };
}
