import { policyRegistry, undeclaredPolicies, type PolicyName, type PolicySet } from '../policies/registry.ts';
import type { Stage, StageFactory, StageInput, StageName } from '../policies/stage.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { PlainFault } from '../telemetry/error-facts.ts';
import type { UpstreamRegistry } from '../upstreams/upstream-registry.ts';
import { parsePathPattern } from './path-pattern.ts';
import { compileRewrite } from './rewrite.ts';
import type { DeclaredPolicies, Route, RouteDefinition } from './route.ts';

/** Something wrong with a route, for the operator. */
export class RouteFault extends PlainFault {
  readonly definition: RouteDefinition;
  /** The key of the route that is at fault, as a path below it. */
  readonly key: readonly (string | number)[];

  constructor(definition: RouteDefinition, key: readonly (string | number)[], message: string) {
    super(message);
    this.definition = definition;
    this.key = key;
  }
}

/** What a compiler needs besides the definitions. */
export interface CompilerParts {
  /** In execution order. */
  readonly factories: readonly StageFactory[];
  readonly defaults: DeclaredPolicies;
  /** Policies that upstreams declare for the routes that lead to them. */
  readonly upstreamPolicies: Readonly<Record<string, DeclaredPolicies>>;
  readonly upstreams: UpstreamRegistry;
  readonly metrics: Metrics;
}

/** Turns route definitions of both doors into frozen routes. */
export class RouteCompiler {
  readonly #parts: CompilerParts;

  constructor(parts: CompilerParts) {
    this.#parts = parts;
  }

  /**
   * Compiles one definition.
   *
   * @throws {RouteFault} for the first thing that is wrong with it.
   */
  compile(definition: RouteDefinition): Route {
    const pattern = attempt(definition, ['match', 'path'], () => parsePathPattern(definition.match.path));
    const policies = this.#merge(definition);
    if (policies.authentication === undefined) {
      // Fail closed: nobody opens a route by forgetting a line.
      throw new RouteFault(
        definition,
        ['policies', 'authentication'],
        'says nothing about authentication; declare `authentication`, a default for it, or `authentication: public`',
      );
    }
    const stages = this.#stages(definition, policies);
    return Object.freeze({
      id: definition.id,
      door: definition.door,
      origin: definition.origin,
      match: definition.match,
      pattern,
      upstream: definition.upstream,
      leadsTo:
        definition.upstream === undefined ? undefined : this.#parts.upstreams.find(definition.upstream),
      grpc: definition.grpc,
      aggregate: definition.aggregate,
      rewrite: attempt(definition, ['rewrite'], () => compileRewrite(definition.rewrite, pattern)),
      policies,
      stages,
      beforeBody: stages.filter((stage) => stage.afterBody !== true),
      afterBody: stages.filter((stage) => stage.afterBody === true),
      seats: seatsOf(stages),
      leaving: stages.filter((stage) => stage.head !== undefined || stage.body !== undefined).reverse(),
      metrics: this.#parts.metrics.forRoute(definition.id),
    });
  }

  // Whole-policy replacement, the narrowest level wins; there is no deep merge.
  #merge(definition: RouteDefinition): PolicySet {
    const upstream =
      definition.upstream === undefined ? undefined : this.#parts.upstreamPolicies[definition.upstream];
    const levels = [...definition.policies, upstream, this.#parts.defaults, this.#undeclared(definition)];
    const merged: Partial<Record<PolicyName, unknown>> = {};
    for (const name of Object.keys(policyRegistry) as PolicyName[]) {
      const declared = levels.find((level) => level?.[name] !== undefined)?.[name];
      if (declared !== undefined && declared !== 'off') merged[name] = declared;
    }
    return Object.freeze(merged as PolicySet);
  }

  #undeclared({ upstream: name }: RouteDefinition): PolicySet {
    const { upstreams } = this.#parts;
    if (name === undefined || !upstreams.has(name)) return undeclaredPolicies;
    return { ...undeclaredPolicies, bodyIdle: upstreams.get(name).options.timeouts.idle };
  }

  #stages(definition: RouteDefinition, policies: PolicySet): readonly Stage[] {
    const { upstream } = definition;
    if (upstream !== undefined && !this.#parts.upstreams.has(upstream)) {
      throw new RouteFault(definition, ['upstream'], `there is no upstream "${upstream}"`);
    }
    const one = upstream === undefined ? undefined : this.#parts.upstreams.get(upstream);
    const isForwarded = definition.door === 'proxy' && definition.grpc === undefined;
    if (isForwarded && one?.options.protocol === 'grpc') {
      throw new RouteFault(
        definition,
        ['upstream'],
        `the upstream "${one.name}" speaks gRPC; a route needs one that speaks http, or \`grpc\` in place of \`match\``,
      );
    }
    const input: StageInput = {
      routeId: definition.id,
      door: definition.door,
      policies,
      ...(one === undefined
        ? {}
        : { upstreamOpenForMs: () => one.openForMs(), upstreamIdleMs: one.options.timeouts.idle }),
    };
    const compiled = this.#parts.factories.map((factory) =>
      attempt(definition, ['policies'], () => factory.compile(input)),
    );
    return Object.freeze(compiled.filter((stage) => stage !== undefined));
  }
}

function seatsOf(stages: readonly Stage[]): Route['seats'] {
  const seats: { [Name in StageName]?: Stage } = {};
  for (const stage of stages) seats[stage.name] = stage;
  return Object.freeze(seats);
}

function attempt<Result>(definition: RouteDefinition, key: readonly string[], compile: () => Result): Result {
  try {
    return compile();
  } catch (error) {
    throw new RouteFault(definition, key, error instanceof Error ? error.message : String(error));
  }
}
