import { jsonOf, keyOf, listOf, textOf, type Condition, type Json, type Resource } from '../resource.ts';
import { fails, holds } from './conditions.ts';
import { withOwnNames } from './own-names.ts';
import type { ClusterView } from './settings.ts';

const GATEWAY_API = 'gateway.networking.k8s.io';
const TARGETS: Readonly<Record<string, string>> = {
  Gateway: GATEWAY_API,
  HTTPRoute: GATEWAY_API,
  GRPCRoute: GATEWAY_API,
  Ingress: 'networking.k8s.io',
};

/** Says what is wrong with policies as the file would say it; an empty list for nothing. */
export type PolicyCheck = (policies: Json, namespace: string) => readonly string[];

/** What becomes of policies that are attached to a place. */
export interface AttachedPolicies {
  readonly policies: Json;
  /** Which objects they are of, by the name of the policy. */
  readonly of: ReadonlyMap<string, Resource>;
  /** One of them that cannot be used. Fails closed: who is meant to be guarded by it is not served without. */
  readonly broken: Resource | undefined;
}

/** The GatehousePolicies of a cluster, by what they are attached to. */
export class Policies {
  readonly #byTarget = new Map<string, Resource[]>();
  readonly #faults = new Map<Resource, string>();
  readonly #found = new Set<Resource>();
  readonly all: readonly Resource[];

  /** @param broken what was found wrong with policies when routes were compiled with them. */
  constructor(view: ClusterView, check: PolicyCheck, broken: ReadonlyMap<string, string>) {
    this.all = view.all('GatehousePolicy');
    for (const policy of this.all) {
      const fault =
        targetFault(policy) ?? check(jsonOf(policy.spec['policies']), policy.namespace).join('; ');
      const found = fault === '' ? broken.get(keyOf(policy)) : fault;
      if (found !== undefined) this.#faults.set(policy, found);
      for (const ref of listOf(policy.spec['targetRefs'])) {
        const { kind, name, sectionName } = ref;
        const key = placeOf(textOf(kind), policy.namespace, textOf(name), textOf(sectionName));
        const known = this.#byTarget.get(key);
        if (known === undefined) this.#byTarget.set(key, [policy]);
        else known.push(policy);
      }
    }
  }

  /** Those of a place, the narrower of which come later and replace whole policies of those before. */
  at(places: readonly { readonly of: Resource; readonly section?: string | undefined }[]): AttachedPolicies {
    let policies: Json = {};
    let broken: Resource | undefined = undefined;
    const of = new Map<string, Resource>();
    for (const { of: object, section } of places) {
      const whole = this.#at(placeOf(object.kind, object.namespace, object.name, ''));
      const part =
        section === undefined || section === ''
          ? []
          : this.#at(placeOf(object.kind, object.namespace, object.name, section));
      // Of several at one place the oldest has the last word.
      for (const policy of [...whole.toReversed(), ...part.toReversed()]) {
        this.#found.add(policy);
        if (this.#faults.has(policy)) broken ??= policy;
        const said = withOwnNames(jsonOf(policy.spec['policies']), policy.namespace);
        policies = { ...policies, ...said };
        for (const name of Object.keys(said)) of.set(name, policy);
      }
    }
    return { policies, of, broken };
  }

  /** What became of one. */
  verdictOf(policy: Resource): Condition {
    const fault = this.#faults.get(policy);
    if (fault !== undefined) return fails('Accepted', 'Invalid', fault);
    if (this.#found.has(policy)) return holds('Accepted');
    return fails(
      'Accepted',
      'TargetNotFound',
      'spec.targetRefs: nothing of these names is served by the gateway',
    );
  }

  #at(place: string): readonly Resource[] {
    return this.#byTarget.get(place) ?? [];
  }
}

function placeOf(kind: string, namespace: string, name: string, section: string): string {
  return [kind, namespace, name, section].join(' ');
}

function targetFault({ spec }: Resource): string | undefined {
  for (const [index, { group, kind, sectionName }] of listOf(spec['targetRefs']).entries()) {
    const wanted = TARGETS[textOf(kind)];
    const field = `spec.targetRefs[${index}]`;
    if (wanted === undefined) return `${field}.kind: expected one of ${Object.keys(TARGETS).join(', ')}`;
    if (textOf(group) !== wanted) return `${field}.group: expected ${wanted}`;
    if (kind === 'Ingress' && sectionName !== undefined)
      return `${field}.sectionName: an Ingress has no sections`;
  }
  return undefined;
}
