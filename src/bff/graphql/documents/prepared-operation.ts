import { GraphQLError } from 'graphql';
import type { FieldCost } from './cost-by-field.ts';
import type { GraphqlRequest } from '../door/graphql-request.ts';
import { amountOf, type costOf } from './operation-cost.ts';
import type { OperationMeter } from '../execution/operation-meters.ts';
import type { OperationPolicies } from '../fields/operation-policies.ts';
import type { Operation } from '../execution/operation.ts';

/** An operation of a valid document, with everything that is decided before it runs. */
export interface PreparedOperation extends OperationPolicies {
  readonly operation: Operation;
  /** What it costs; undefined when nobody counts. */
  readonly cost: ReturnType<typeof costOf> | undefined;
  /** Whether its document is one of those that were checked in with the clients. */
  readonly trusted: boolean;
  /** What each of its fields costs; absent when nobody may see a plan. */
  readonly costs?: (variables: GraphqlRequest['variables']) => readonly FieldCost[];
  /** Counts its executions. */
  readonly meter: OperationMeter;
}

/** What `extensions.cost` shows. */
export interface ShownCost {
  readonly requested: number;
  readonly max: number;
}

/** Counts what a request costs; undefined when nobody counts. */
export function requestedCost(
  { cost }: PreparedOperation,
  variables: Readonly<Record<string, unknown>> | null | undefined,
  max: number,
): ShownCost | undefined {
  return cost === undefined ? undefined : { requested: amountOf(cost, variables), max };
}

/** The error of a request that costs too much. */
export function tooDear({ requested, max }: ShownCost): GraphQLError {
  return new GraphQLError(`The operation costs ${requested}; at most ${max} is allowed.`);
}
