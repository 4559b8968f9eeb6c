import type { GraphQLError, GraphQLFormattedError } from 'graphql';
import { placesOf } from '../documents/document-places.ts';

/** What is told of an error about a request that did not run. */
type RefusedError = Pick<GraphQLError, 'message' | 'locations' | 'extensions'> &
  Partial<Pick<GraphQLError, 'nodes'>>;

/** Most errors about a document or its variables that one answer tells. */
const MOST_REFUSALS = 5;
/** Longest message about a document or its variables: graphql-js quotes what was sent, and may do so again and again. */
const LONGEST_MESSAGE = 1000;
const SUGGESTION = / Did you mean .*\?$/;

/** The errors of a request that did not run, as clients see them: GraphQL's own, which are about the request. */
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

/** A message as it may be told, however much of what was sent is quoted in it. */
export function shortened(message: string): string {
  return message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message;
}
