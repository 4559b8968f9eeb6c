import { GraphQLError, Kind } from 'graphql';
import { problemOf } from '../../../problems/http-exceptions.ts';
import { Problem } from '../../../problems/problem.ts';
import { shortened } from './refused-errors.ts';

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

/**
 * The problem that an error of an operation is to its client: the one that was thrown, what an exception of Nest means,
 * or a mistake of the client. Anything else may tell what is inside, and is `internal`.
 */
export function shownProblem(error: GraphQLError): Problem {
  const { originalError } = error;
  return originalError instanceof Problem
    ? originalError
    : (argumentFault(error) ?? problemOf(originalError));
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
