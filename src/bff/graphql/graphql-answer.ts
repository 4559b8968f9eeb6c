import { Logger } from '@nestjs/common';
import { GraphQLError, Kind, type ExecutionResult, type FormattedExecutionResult } from 'graphql';
import type { GraphQLFormattedError } from 'graphql';
import { Problem } from '../../problems/problem.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { degradedOf } from './degraded-places.ts';
import { placesOf } from './document-places.ts';
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

/** What is told of an error about a request that did not run. */
type RefusedError = Pick<GraphQLError, 'message' | 'locations' | 'extensions'> &
  Partial<Pick<GraphQLError, 'nodes'>>;

/** An answer before it is written. */
export type AnswerValue = FormattedExecutionResult;

/** Most errors about a document or its variables that one answer tells. */
const MOST_REFUSALS = 5;
/** Longest message about a document or its variables: graphql-js quotes what was sent, and may do so again and again. */
const LONGEST_MESSAGE = 1000;
/** How graphql-js begins what it says about an argument. */
const ARGUMENT = /^Argument "/;
const VALUES: ReadonlySet<string> = new Set([
  Kind.VARIABLE,
  Kind.INT,
  Kind.FLOAT,
  Kind.STRING,
  Kind.BOOLEAN,
  Kind.NULL,
  Kind.ENUM,
  Kind.LIST,
  Kind.OBJECT,
]);
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
  const { errors = [], extensions } = outcome;
  const data = outcome.data ?? null;
  const failure = data === null ? 'failed' : 'partial';
  const ended = errors.length > 0 ? failure : degraded.length > 0 ? 'degraded' : 'ok';
  if (ended === 'ok' && shown === undefined) return { value: { data }, outcome: ended };
  context.exchange.degraded = loggedParts(context.placed, errors);
  const value = {
    data,
    ...(errors.length === 0 ? {} : { errors: errors.map((error) => masked(error, context.exchange)) }),
    ...(degraded.length === 0 && shown === undefined && extensions === undefined
      ? {}
      : { extensions: { ...extensions, ...shown, ...(degraded.length === 0 ? {} : { degraded }) } }),
  };
  return { value, outcome: ended };
}

/** Writes what is wrong with a request that did not run: GraphQL's own errors, which are about the request. */
export function refusalOf(
  errors: readonly RefusedError[],
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
  errors: readonly RefusedError[],
  production: boolean,
): readonly GraphQLFormattedError[] {
  return errors.slice(0, MOST_REFUSALS).map((error) => {
    const { message, extensions } = error;
    const locations = placesOf(error);
    return {
      // A suggestion tells names of the schema, which production does not.
      message: shortened(production ? message.replace(SUGGESTION, '') : message),
      ...(locations === undefined ? {} : { locations }),
      extensions: { code: extensions['code'] ?? 'request-invalid' },
    };
  });
}

/** Shows problems, and what is wrong with an argument; anything else may tell what is inside, so it is logged. */
function masked(error: GraphQLError, exchange: Exchange): GraphQLFormattedError {
  const { originalError, path } = error;
  const locations = placesOf(error);
  const shown =
    originalError instanceof Problem ? originalError : (argumentFault(error) ?? new Problem('internal'));
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

/**
 * What graphql-js finds wrong with an argument only while it runs an operation: a variable that is `null`, or not given,
 * where the schema or a condition wants a value. Resolvers do not make such errors: these point at a value of the document.
 */
function argumentFault(error: GraphQLError): Problem | undefined {
  const { originalError: cause = error } = error;
  // Fails closed: whatever is not surely about the request stays inside.
  if (!(cause instanceof GraphQLError) || cause.originalError !== undefined) return undefined;
  const { message, nodes } = cause;
  const kind = nodes?.length === 1 ? nodes[0]?.kind : undefined;
  if (kind === undefined || !VALUES.has(kind) || !ARGUMENT.test(message)) return undefined;
  return new Problem('request-invalid', { detail: shortened(message) });
}

function shortened(message: string): string {
  return message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message;
}
