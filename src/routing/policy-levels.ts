import type { AccessRule } from '../policies/authorization/authorization.schema.ts';
import { policyList, undeclaredPolicies, type PolicySet } from '../policies/order.ts';
import type { UpstreamRegistry } from '../upstreams/upstream-registry.ts';
import type { AccessTable } from './access-table.ts';
import type { PathPattern } from './path-pattern.ts';
import type { DeclaredPolicies, RouteDefinition } from './route.ts';

/** Where policies of routes are said besides at the routes. */
export interface LevelDeps {
  readonly defaults: DeclaredPolicies;
  /** Policies that upstreams declare for the routes that lead to them. */
  readonly upstreamPolicies: Readonly<Record<string, DeclaredPolicies>>;
  readonly upstreams: UpstreamRegistry;
  /** Who may call what where routes say nothing. Default: nothing is said. */
  readonly access?: AccessTable | undefined;
}

/** Finds what is in force on a route of all that is said on the levels of a configuration. */
export class PolicyLevels {
  readonly #deps: LevelDeps;

  constructor(deps: LevelDeps) {
    this.#deps = deps;
  }

  /** What is in force on a route: whole-policy replacement, the narrowest level wins; there is no deep merge. */
  merged(definition: RouteDefinition, pattern: PathPattern): PolicySet {
    const levels = [...this.#levels(definition), this.#undeclared(definition)];
    const merged: Record<string, unknown> = {};
    for (const { name } of policyList) {
      const saying = levels as readonly (Readonly<Record<string, unknown>> | undefined)[];
      const declared = saying.find((level) => level?.[name] !== undefined)?.[name];
      if (declared !== undefined && declared !== 'off') merged[name] = declared;
    }
    const access = this.#accessOf(definition, pattern);
    if (access !== undefined)
      merged['authorization'] = { ...(merged['authorization'] as object | undefined), access };
    return Object.freeze(merged as PolicySet);
  }

  /** What is said about it by path and method; undefined where somebody nearer to it says something. */
  #accessOf(definition: RouteDefinition, pattern: PathPattern): readonly AccessRule[] | undefined {
    const { access } = this.#deps;
    const nearer = this.#levels(definition).slice(0, -1);
    if (access === undefined || nearer.some((level) => level?.authorization !== undefined)) return undefined;
    const rules = access.rulesFor(pattern, definition.match.methods);
    return rules.length === 0 ? undefined : rules;
  }

  /** The narrowest level that says something about each policy. */
  names(definition: RouteDefinition, merged: PolicySet): Readonly<Record<string, string>> {
    const { policies, door, version } = definition;
    const [own, wider] = door === 'handler' ? ['method', 'class'] : ['route', 'group'];
    const names = policies.map((_, index) => (index === 0 ? own : wider));
    if (version !== undefined && policies.length > 1) names.splice(0, 2, 'version', 'route');
    const levels = [...this.#levels(definition), this.#undeclared(definition)];
    const all = [...names, 'upstream', 'defaults', 'gateway'];
    const found: Record<string, string> = {};
    for (const { name } of policyList) {
      const at = levels.findIndex(
        (level) => level !== undefined && level[name as keyof DeclaredPolicies] !== undefined,
      );
      if (at >= 0) found[name] = all[at] as string;
    }
    if (merged.authorization?.access !== undefined) found['authorization'] = 'access';
    return Object.freeze(found);
  }

  /** Whether somebody says a deadline for it. */
  saysDeadline(definition: RouteDefinition): boolean {
    return this.#levels(definition).some((level) => level?.deadline !== undefined);
  }

  #levels({ upstream, policies }: RouteDefinition): readonly (DeclaredPolicies | undefined)[] {
    const { defaults, upstreamPolicies } = this.#deps;
    return [...policies, upstream === undefined ? undefined : upstreamPolicies[upstream], defaults];
  }

  #undeclared({ upstream: name }: RouteDefinition): PolicySet {
    const { upstreams } = this.#deps;
    if (name === undefined || !upstreams.has(name)) return undeclaredPolicies;
    return { ...undeclaredPolicies, bodyIdle: upstreams.get(name).options.timeouts.idle };
  }
}
