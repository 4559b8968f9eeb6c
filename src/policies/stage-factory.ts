import type { IncomingMessage } from 'node:http';
import type { Problem } from '../problems/problem.ts';
import type { PolicySet } from './order.ts';
import type { Policy } from './policy.ts';
import type { RouteDoor } from './policy-facts.ts';
import type { Tiers } from './rate-limit/tiers.schema.ts';
import type { Stage } from './stage.ts';

/** What a stage factory may know of the route it compiles a stage for. */
export interface StageInput {
  readonly routeId: string;
  readonly door: RouteDoor;
  readonly policies: PolicySet;
  /** The kind of the route's action; absent for a handler. */
  readonly action?: string | undefined;
  /** Names of the parameters of its path, in the order of the pattern; absent for none that a stage could read. */
  readonly parameters?: readonly string[];
  /** The same at either door, for who reads their values by name; absent where the path is nobody's. */
  readonly pathParameters?: readonly string[];
  /** Reads patterns of paths; absent where there is no route. */
  readonly paths?: RequestPaths;
  /** What its route takes. Default: whatever there is. */
  readonly reach?: RouteReach;
  /** Which version of an API it answers for, where there are several. */
  readonly version?: string | undefined;
  /** The route whose budgets it draws on, which leads to the same under another name. Default: it has its own. */
  readonly budgetOf?: string | undefined;
  /** Whether it is entered for each field of an answer, rather than once per exchange. Default false. */
  readonly repeats?: boolean;
  /** The arguments of the field of GraphQL that it is for; `any` where it is for several. Absent elsewhere. */
  readonly fieldArguments?: readonly string[] | 'any' | undefined;
  /** Longest silence of the route's upstream while a body streams, in ms; absent without an upstream. */
  readonly upstreamIdleMs?: number;
  /** How long a client says that it waits, in ms, `Infinity` for nothing; absent where nobody listens to that. */
  readonly patienceOf?: ((request: IncomingMessage) => number) | undefined;
  /** The tiers of service of the configuration; absent for none. */
  readonly tiers?: Tiers | undefined;
  /** What an upstream of the configuration speaks; undefined for none of this name. */
  readonly protocolOf?: (upstream: string) => 'http' | 'grpc' | undefined;
  /** Why no target of the route's upstream can be called now; undefined when one can. */
  readonly upstreamRefusal?: () => Problem | undefined;
}

/** Whether a path is one of a pattern. */
export interface PathMatcher {
  /** Whether paths have to be folded to be looked for, however they are spelled. */
  readonly isFoldable: boolean;
  takes(path: string): boolean;
  takesFolded(folded: string): boolean;
  /** Names of its parameters; the rest is called `*`. */
  readonly parameters: readonly string[];
  /** Their values in a path that it takes, percent-encoded as they came. */
  valuesIn(path: string): readonly string[];
}

/** Which requests a route takes. */
export interface RouteReach {
  /** Empty for all. */
  readonly methods: readonly string[];
  /** Whether all its paths are of a pattern, as far as that can be told. */
  isWithin(pattern: string): boolean;
}

/** How paths of requests are read. */
export interface RequestPaths {
  /** @throws {Error} for what is no pattern. */
  matcher(pattern: string): PathMatcher;
  /** What a lenient server may read a path as: decoded, without its parameters, in lower case. */
  fold(path: string): string;
}

/** Compiles the stage of one policy, or nothing when the route does not declare the policy. */
export interface StageFactory {
  /** The policy, whose facts say where its stage is entered. */
  readonly policy: Policy;
  /** @throws {Error} with a message for the operator when the options make no sense for this route. */
  compile(input: StageInput): Stage | undefined;
}

/** Injection token of the stage factories in execution order; bound once, in `pipeline/`. */
export const STAGE_FACTORIES = Symbol('STAGE_FACTORIES');
