import type { PolicyName } from '../policies/order.ts';
import { StageFault } from '../policies/stage-fault.ts';
import { PlainFault } from '../telemetry/error-facts.ts';
import { ActionError } from './route-action.ts';
import type { RouteDefinition } from './route.ts';

/** Something wrong with a route, for the operator. */
export class RouteFault extends PlainFault {
  readonly definition: RouteDefinition;
  /** The key of the route that is at fault, as a path below it. */
  readonly key: readonly (string | number)[];
  /** The nearest valid name. */
  readonly suggestion: string | undefined;
  /** The policy of `defaults` that does not fit the route, where that is what is wrong. */
  readonly inherited: PolicyName | undefined;

  constructor(
    definition: RouteDefinition,
    key: readonly (string | number)[],
    message: string,
    suggestion?: string,
    inherited?: PolicyName,
  ) {
    super(message);
    this.definition = definition;
    this.key = key;
    this.suggestion = suggestion;
    this.inherited = inherited;
  }
}

/** Whatever an action says is wrong with its route, as a fault of that. */
export function faultOfAction<Result>(definition: RouteDefinition, act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    throw error instanceof ActionError
      ? new RouteFault(definition, error.key, error.message, error.suggestion)
      : error;
  }
}

/** Whatever an act of a compilation throws, as a fault of its route below a key. */
export function attempt<Result>(
  definition: RouteDefinition,
  key: readonly string[],
  compile: () => Result,
  inherited?: () => PolicyName | undefined,
): Result {
  try {
    return compile();
  } catch (error) {
    const { key: below, suggestion } =
      error instanceof StageFault ? error : { key: [], suggestion: undefined };
    const message = error instanceof Error ? error.message : String(error);
    throw new RouteFault(definition, [...key, ...below], message, suggestion, inherited?.());
  }
}
