import { nearestName } from '../config/nearest-name.ts';
import type { RoleBook } from '../exchange/role-book.ts';
import type { PolicyName, PolicySet } from '../policies/order.ts';
import { seatsOf, type SeatedStage } from '../policies/seats.ts';
import type { Tiers } from '../policies/rate-limit/tiers.schema.ts';
import { timeStages } from '../policies/server-timing/timed-stages.ts';
import type { Stage } from '../policies/stage.ts';
import type { StageFactory, StageInput } from '../policies/stage-factory.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { UpstreamRegistry } from '../upstreams/upstream-registry.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { reachOf, requestPaths } from './access-paths.ts';
import type { AccessTable } from './access-table.ts';
import { compileConditions } from './conditions.ts';
import { Doubt, NOT_UNSURE } from './doubt.ts';
import { refuseIdleMessages, settledPolicies } from './idle-policies.ts';
import { isAtEntrance, tooLate } from './entrance.ts';
import { passedFields } from './passed-fields.ts';
import { parsePathPattern, type PathPattern } from './path-pattern.ts';
import { PolicyLevels } from './policy-levels.ts';
import { ActionError, handlerAction, type ActionKind, type RouteAction } from './route-action.ts';
import { checkElsewhere } from './elsewhere.ts';
import { attempt, faultOfAction, RouteFault } from './route-fault.ts';
import { checkedSubset, hedgeOf, retryOf } from './route-upstream.ts';
import type { DeclaredPolicies, PathReading, Route, RouteDefinition } from './route.ts';
import type { Unsure } from './unsure.ts';

/** What a compiler needs besides the definitions. */
export interface CompilerDeps {
  /** In execution order. */
  readonly factories: readonly StageFactory[];
  readonly defaults: DeclaredPolicies;
  /** Policies that upstreams declare for the routes that lead to them. */
  readonly upstreamPolicies: Readonly<Record<string, DeclaredPolicies>>;
  readonly upstreams: UpstreamRegistry;
  readonly metrics: Metrics;
  readonly actions: readonly ActionKind[];
  /** What roles mean, and who may call what where routes say nothing. Default: nothing is said. */
  readonly roles?: RoleBook | undefined;
  readonly access?: AccessTable | undefined;
  /** The tiers of service. Default: there are none. */
  readonly tiers?: Tiers | undefined;
}

const USUAL_PATHS: PathReading = Object.freeze({ encodedSlashes: 'refuse', trailingSlash: 'refuse' });

/** Turns route definitions of both doors into frozen routes. */
export class RouteCompiler {
  readonly deps: CompilerDeps;
  readonly #forRoutes: readonly StageFactory[];
  readonly #levels: PolicyLevels;

  constructor(deps: CompilerDeps) {
    this.deps = deps;
    this.#levels = new PolicyLevels(deps);
    this.#forRoutes = deps.factories.filter((one) => !isAtEntrance(one));
  }

  /**
   * Compiles one definition.
   *
   * @throws {RouteFault} for the first thing that is wrong with it.
   */
  compile(definition: RouteDefinition): Route {
    const { match, priority = 0, paths = USUAL_PATHS } = definition;
    const slashes = paths.encodedSlashes === 'pass' ? 'keep' : 'refuse';
    const pattern = attempt(definition, ['match', 'path'], () => parsePathPattern(match.path, slashes));
    const conditions = attempt(definition, ['match'], () => compileConditions(match));
    const merged = this.#levels.merged(definition, pattern);
    const policies = faultOfAction(definition, () => settledPolicies(merged, definition, this.deps));
    if (policies.authentication === undefined) {
      // Fail closed: nobody opens a route by forgetting a line.
      throw new RouteFault(
        definition,
        ['policies', 'authentication'],
        'does not say who may call it; declare `authentication`, a default for it, or `authentication: public`',
      );
    }
    const upstream = this.#upstreamOf(definition);
    const action = this.#action(definition, pattern, upstream);
    const stages = this.#stages(definition, { policies, upstream, pattern });
    timeStages(stages, policies);
    if (action.isOpaque === true) refuseEdits(definition, stages);
    const seats = seatsOf(stages, definition.door);
    faultOfAction(definition, () => {
      refuseIdleMessages(definition, stages, action);
      action.check?.(seats);
    });
    if (action.elsewhere !== undefined || action.copiedTo !== undefined)
      checkElsewhere(definition, action, policies, this.deps.upstreamPolicies);
    return Object.freeze({
      id: definition.id,
      door: definition.door,
      origin: definition.origin,
      ...(definition.team !== undefined && { team: definition.team }),
      match,
      pattern,
      conditions,
      priority,
      paths,
      upstream: definition.upstream,
      retry: retryOf(definition, upstream),
      subset: checkedSubset(definition, upstream),
      hedge: hedgeOf(definition, upstream, action),
      fieldRules: faultOfAction(definition, () => passedFields(definition, policies, upstream)),
      matchKey: definition.matchKey,
      chooser: definition.chooser,
      action,
      policies,
      roles: this.deps.roles,
      levels: this.#levels.names(definition, policies),
      saysDeadline: this.#levels.saysDeadline(definition),
      ...seats,
      metrics: this.deps.metrics.forRoute(definition.id),
    });
  }

  /**
   * All that can be told of a definition of which something is wrong already: what does not follow from that, nor from what is not
   * known of it.
   *
   * @param first what {@link compile} threw; default nothing was compiled.
   */
  faultsOf(
    definition: RouteDefinition,
    unsure: Unsure = NOT_UNSURE,
    first?: RouteFault,
  ): readonly RouteFault[] {
    const facts = new Set(unsure.facts);
    const policies = new Set(unsure.policies);
    // Its own stage would say the same in other words.
    if (first?.key[0] === 'policies' && first.key.length > 1) policies.add(String(first.key[1]));
    const faults: RouteFault[] = first === undefined ? [] : [first];
    const gather = <Result>(act: () => Result): Result | undefined => {
      try {
        return act();
      } catch (error) {
        if (!(error instanceof RouteFault)) throw error;
        if (!faults.some(({ key, message }) => message === error.message && key.join() === error.key.join()))
          faults.push(error);
        return undefined;
      }
    };
    const isKnown = definition.upstream === undefined || !unsure.isUnsure(definition.upstream);
    const upstream = isKnown ? gather(() => this.#upstreamOf(definition)) : undefined;
    if (upstream === undefined && definition.upstream !== undefined) facts.add('upstream');
    if (first?.key[0] === 'match' || policies.has('*')) return faults;
    const pattern = gather(() =>
      attempt(definition, ['match', 'path'], () => parsePathPattern(definition.match.path, 'keep')),
    );
    if (pattern === undefined) return faults;
    const merged = this.#levels.merged(definition, pattern);
    const doubt = new Doubt();
    const input = doubt.input(this.#inputOf(definition, { policies: merged, upstream, pattern }), {
      facts,
      policies,
      isUnsure: unsure.isUnsure,
    });
    for (const factory of this.#forRoutes) {
      doubt.begin();
      const before = faults.length;
      gather(() => this.#stageOf(definition, { factory, input, policies: merged }));
      if (doubt.is) faults.length = before;
    }
    return faults;
  }

  #upstreamOf(definition: RouteDefinition): Upstream | undefined {
    const { upstream } = definition;
    if (upstream === undefined) return undefined;
    if (this.deps.upstreams.has(upstream)) return this.deps.upstreams.get(upstream);
    throw new RouteFault(definition, ['upstream'], `there is no upstream "${upstream}"`);
  }

  #action(definition: RouteDefinition, pattern: PathPattern, upstream: Upstream | undefined): RouteAction {
    const { action, id: routeId, foresee } = definition;
    if (action === undefined) return foresee === undefined ? handlerAction : { ...handlerAction, foresee };
    const kind = this.deps.actions.find(({ source }) => source.kind === action.kind);
    if (kind === undefined) throw new Error(`no kind of action is called ${action.kind}`);
    return faultOfAction(definition, () =>
      kind.compile(action, { routeId, pattern, upstream, named: this.#named }),
    );
  }

  readonly #named = (name: string, key: readonly string[]): Upstream => {
    const { upstreams } = this.deps;
    const found = upstreams.find(name);
    if (found !== undefined) return found;
    const nearest = nearestName(
      name,
      upstreams.all().map((one) => one.name),
    );
    throw new ActionError(key, `there is no upstream "${name}"`, nearest);
  };

  #inputOf(definition: RouteDefinition, { policies, upstream: one, pattern }: StageParts): StageInput {
    const { parameters } = pattern;
    return {
      routeId: definition.id,
      door: definition.door,
      policies,
      action: definition.action?.kind,
      version: definition.version,
      budgetOf: definition.budgetOf,
      // Fastify keeps those of a handler, who can read them there.
      ...(definition.door === 'proxy' ? { parameters } : {}),
      pathParameters: parameters,
      paths: requestPaths,
      reach: reachOf(pattern, definition.match.methods),
      tiers: this.deps.tiers,
      protocolOf: (name) => this.deps.upstreams.find(name)?.options.protocol,
      ...(one === undefined
        ? {}
        : {
            upstreamRefusal: () => one.refusal(),
            upstreamIdleMs: one.options.timeouts.idle,
            patienceOf: one.deadlineField?.patienceOf,
          }),
    };
  }

  #stages(definition: RouteDefinition, parts: StageParts): readonly SeatedStage[] {
    const input = this.#inputOf(definition, parts);
    const { policies } = parts;
    const late = tooLate(definition, this.deps.factories);
    if (late !== undefined) {
      const message = `\`${late}\` is decided before a route is known; say it under \`defaults\``;
      throw new RouteFault(definition, ['policies', late], message);
    }
    return this.#forRoutes.flatMap((factory) => {
      const stage = this.#stageOf(definition, { factory, input, policies });
      return stage === undefined ? [] : [{ policy: factory.policy, stage }];
    });
  }

  #stageOf(
    definition: RouteDefinition,
    { factory, input, policies }: { factory: StageFactory; input: StageInput; policies: PolicySet },
  ): Stage | undefined {
    const { name } = factory.policy;
    const isInherited = (): boolean => this.#levels.names(definition, policies)[name] === 'defaults';
    return attempt(
      definition,
      ['policies'],
      () => factory.compile(input),
      () => (isInherited() ? (name as PolicyName) : undefined),
    );
  }
}

// Fail closed: what a policy wants to mask would go out, and what it wants to take out would go in.
function refuseEdits(definition: RouteDefinition, stages: readonly SeatedStage[]): void {
  const editing = stages.find(({ stage }) => stage.body !== undefined || stage.incoming !== undefined);
  if (editing === undefined) return;
  const { name } = editing.policy;
  const message = `edits bodies, and those of this route are passed on unread; say \`${name}: off\` for it where it only inherits them`;
  throw new RouteFault(definition, ['policies', name], message);
}

/** What the stages of a route are compiled with, besides its definition. */
interface StageParts {
  readonly policies: PolicySet;
  readonly upstream: Upstream | undefined;
  readonly pattern: PathPattern;
}
