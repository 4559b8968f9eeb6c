import { Logger } from '@nestjs/common';
import { GraphQLError, type ExecutionResult, type FormattedExecutionResult } from 'graphql';
import type { GraphQLFormattedError } from 'graphql';
import { problemOf } from '../../../problems/http-exceptions.ts';
import { withoutStack } from '../../../problems/without-stack.ts';
import { Problem } from '../../../problems/problem.ts';
import type { Exchange } from '../../../exchange/exchange.ts';
import { degradedOf } from './degraded-places.ts';
import { placesOf } from '../documents/document-places.ts';
import { shownProblem } from './error-problems.ts';
import { fieldOf, loggedParts } from './logged-parts.ts';
import type { OperationOutcome } from './operation-meters.ts';
import { OperationContext } from './operation-context.ts';
import { refusedErrors } from './refused-errors.ts';

/** An answer's text, and whether all of it is as it should be. */
export interface GraphqlAnswer {
  readonly body: string;
  /** `ok` when every field was served by its source. */
  readonly outcome: OperationOutcome;
  readonly errors: AnswerValue['errors'];
}

/** An answer before it is written. */
export type AnswerValue = FormattedExecutionResult;

type Shown = Readonly<Record<string, unknown>>;

const logger = new Logger('GraphQL');

/**
 * Writes the outcome of an operation that ran; errors are masked, sections that fell back are listed.
 *
 * @param shown what else `extensions` shows.
 */
export function answerOf(outcome: ExecutionResult, context: OperationContext, shown?: Shown): GraphqlAnswer {
  const answer = valueOf(outcome, context, shown);
  return { body: JSON.stringify(answer.value), outcome: answer.outcome, errors: answer.value.errors };
}

/** The same answer as a value, for what is sent as part of a larger message. */
export function valueOf(
  outcome: ExecutionResult,
  context: OperationContext,
  shown?: Shown,
): { readonly value: AnswerValue; readonly outcome: OperationOutcome } {
  const degraded = context.placed.length === 0 ? [] : degradedOf(context.placed, outcome);
  const { errors = [], extensions } = outcome;
  const data = outcome.data ?? null;
  const failure = data === null ? 'failed' : 'partial';
  const ended = errors.length > 0 ? failure : degraded.length > 0 ? 'degraded' : 'ok';
  if (ended === 'ok' && shown === undefined) return { value: { data }, outcome: ended };
  context.exchange.degraded = loggedParts(context.placed, errors);
  if (errors.length > 0)
    context.exchange.snapshot?.audit?.partsDenied(context.exchange, errors.map(shownProblem));
  const value = {
    data,
    ...(errors.length === 0 ? {} : { errors: errors.map((error) => masked(error, context.exchange)) }),
    ...(degraded.length === 0 && shown === undefined && extensions === undefined
      ? {}
      : { extensions: { ...extensions, ...shown, ...(degraded.length === 0 ? {} : { degraded }) } }),
  };
  return { value, outcome: ended };
}

/** What is told, where no problem can be written, of something thrown in place of an answer. */
export function failureOf(error: unknown, exchange: Exchange): AnswerValue {
  const problem = problemOf(error);
  const wrapped = withoutStack(() => new GraphQLError(problem.message, { originalError: problem }));
  return withoutData({ errors: [wrapped] }, new OperationContext(exchange));
}

/** What is told of errors that left nothing to show, not even `null`. */
export function withoutData(outcome: ExecutionResult, context: OperationContext): AnswerValue {
  const { errors = [] } = valueOf({ ...outcome, data: null }, context).value;
  return { errors };
}

/** What is told of a request that did not run. */
export function refusalValue(
  errors: Parameters<typeof refusedErrors>[0],
  production: boolean,
  shown?: Shown,
): AnswerValue & { readonly errors: readonly GraphQLFormattedError[] } {
  return {
    ...(shown === undefined ? {} : { extensions: shown }),
    errors: refusedErrors(errors, production),
  };
}

/** The same as a text. */
export function refusalOf(...told: Parameters<typeof refusalValue>): string {
  return JSON.stringify(refusalValue(...told));
}

/** Shows problems, and what is wrong with an argument; anything else may tell what is inside, so it is logged. */
function masked(error: GraphQLError, exchange: Exchange): GraphQLFormattedError {
  const { path } = error;
  const locations = placesOf(error);
  const shown = shownProblem(error);
  if (shown.code === 'internal') report(error, exchange);
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

function report({ originalError, nodes }: GraphQLError, exchange: Exchange): void {
  const cause: unknown =
    originalError instanceof Problem ? (originalError.cause ?? originalError) : originalError;
  logger.error(`exchange ${exchange.id}: ${fieldOf(nodes)} failed`, cause);
}
