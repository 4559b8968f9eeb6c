import type { IncomingMessage } from 'node:http';
import type { Problem } from '../problems/problem.ts';
import type { PolicySet } from './order.ts';
import type { Policy } from './policy.ts';
import type { RouteDoor } from './policy-facts.ts';
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
  /** Which version of an API it answers for, where there are several. */
  readonly version?: string | undefined;
  /** The route whose budgets it draws on, which leads to the same under another name. Default: it has its own. */
  readonly budgetOf?: string | undefined;
  /** Whether it is entered for each field of an answer, rather than once per exchange. Default false. */
  readonly repeats?: boolean;
  /** Longest silence of the route's upstream while a body streams, in ms; absent without an upstream. */
  readonly upstreamIdleMs?: number;
  /** How long a client says that it waits, in ms, `Infinity` for nothing; absent where nobody listens to that. */
  readonly patienceOf?: ((request: IncomingMessage) => number) | undefined;
  /** Why no target of the route's upstream can be called now; undefined when one can. */
  readonly upstreamRefusal?: () => Problem | undefined;
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
