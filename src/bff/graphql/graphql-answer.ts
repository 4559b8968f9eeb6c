import { Logger } from '@nestjs/common';
import type { ExecutionResult, FormattedExecutionResult, GraphQLError, GraphQLFormattedError } from 'graphql';
import { Problem } from '../../problems/problem.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { degradedOf } from './degraded-places.ts';
import { fieldOf, loggedParts } from './logged-parts.ts';
import type { OperationOutcome } from './operation-meters.ts';
import type { OperationContext } from './operation-context.ts';

/** An answer's text, and whether all of it is as it should be. */
export interface GraphqlAnswer {
  readonly body: string;
  /** `ok` when every field was served by its source. */
  readonly outcome: OperationOutcome;
  readonly errors: AnswerValue['errors'];
}

/** An answer before it is written. */
export type AnswerValue = FormattedExecutionResult;

const SUGGESTION = / Did you mean .*\?$/;
const logger = new Logger('GraphQL');

/**
 * Writes the outcome of an operation that ran; errors are masked, sections that fell back are listed.
 *
 * @param shown what else `extensions` shows.
 */
export function answerOf(
  outcome: ExecutionResult,
  context: OperationContext,
  shown?: Readonly<Record<string, unknown>>,
): GraphqlAnswer {
  const answer = valueOf(outcome, context, shown);
  return { body: JSON.stringify(answer.value), outcome: answer.outcome, errors: answer.value.errors };
}

/** The same answer as a value, for what is sent as part of a larger message. */
export function valueOf(
  outcome: ExecutionResult,
  context: OperationContext,
  shown?: Readonly<Record<string, unknown>>,
): { readonly value: AnswerValue; readonly outcome: OperationOutcome } {
  const degraded = context.placed.length === 0 ? [] : degradedOf(context.placed, outcome);
  const { errors = [] } = outcome;
  const data = outcome.data ?? null;
  const failure = data === null ? 'failed' : 'partial';
  const ended = errors.length > 0 ? failure : degraded.length > 0 ? 'degraded' : 'ok';
  if (ended === 'ok' && shown === undefined) return { value: { data }, outcome: ended };
  context.exchange.degraded = loggedParts(context.placed, errors);
  const value = {
    data,
    ...(errors.length === 0 ? {} : { errors: errors.map((error) => masked(error, context.exchange)) }),
    ...(degraded.length === 0 && shown === undefined
      ? {}
      : { extensions: { ...shown, ...(degraded.length === 0 ? {} : { degraded }) } }),
  };
  return { value, outcome: ended };
}

/** Writes what is wrong with a request that did not run: GraphQL's own errors, which are about the request. */
export function refusalOf(
  errors: readonly Pick<GraphQLError, 'message' | 'locations' | 'extensions'>[],
  production: boolean,
  shown?: Readonly<Record<string, unknown>>,
): string {
  return JSON.stringify({
    ...(shown === undefined ? {} : { extensions: shown }),
    errors: refusedErrors(errors, production),
  });
}

/** The errors of a request that did not run, as clients see them. */
export function refusedErrors(
  errors: readonly Pick<GraphQLError, 'message' | 'locations' | 'extensions'>[],
  production: boolean,
): readonly GraphQLFormattedError[] {
  return errors.map(({ message, locations, extensions }) => ({
    // A suggestion tells names of the schema, which production does not.
    message: production ? message.replace(SUGGESTION, '') : message,
    ...(locations === undefined ? {} : { locations }),
    extensions: { code: extensions['code'] ?? 'request-invalid' },
  }));
}

/** Shows problems; anything else may tell what is inside, so it is logged and becomes `internal`. */
function masked(
  { originalError, nodes, locations, path }: GraphQLError,
  exchange: Exchange,
): GraphQLFormattedError {
  const problem = originalError instanceof Problem ? originalError : undefined;
  if (problem === undefined || problem.code === 'internal') {
    logger.error(`exchange ${exchange.id}: ${fieldOf(nodes)} failed`, problem?.cause ?? originalError);
  }
  const shown = problem ?? new Problem('internal');
  const extensions = {
    ...shown.extensions,
    code: shown.code,
    retryable: shown.entry.retryable,
    instance: `urn:gatehouse:exchange:${exchange.id}`,
  };
  return {
    message: shown.message,
    ...(locations === undefined ? {} : { locations }),
    ...(path === undefined ? {} : { path }),
    extensions,
  };
}
