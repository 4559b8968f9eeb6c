import type { ExecutionResult, GraphQLError } from 'graphql';

/** Most errors that one answer tells; documented in docs/graphql.md. */
export const MOST_ERRORS = 100;

/**
 * The same outcome with one error for each place that became `null`, and at most {@link MOST_ERRORS} of them: what
 * failed below such a place does not show, and is not told (GraphQL specification, section 6.4.4). How many places are
 * left out is counted in `extensions.moreErrors`.
 *
 * @param outcome of an operation that ran; it is returned as it is when nothing has to go.
 */
export function withToldErrors(outcome: ExecutionResult): ExecutionResult {
  const { data, errors } = outcome;
  if (errors === undefined || errors.length < 2) return outcome;
  const places = new Set<string>();
  const told: GraphQLError[] = [];
  for (const error of errors) {
    const place = nulledPlace(data, error.path ?? []);
    if (places.has(place)) continue;
    places.add(place);
    if (told.length < MOST_ERRORS) told.push(error);
  }
  if (told.length === errors.length) return outcome;
  const moreErrors = places.size - told.length;
  return {
    ...outcome,
    errors: told,
    ...(moreErrors === 0 ? {} : { extensions: { ...outcome.extensions, moreErrors } }),
  };
}

/** The place that an error made `null`: that of its field, or the one above to which the error went up. */
function nulledPlace(data: unknown, path: readonly (string | number)[]): string {
  let at = data;
  let depth = 0;
  for (const key of path) {
    if (typeof at !== 'object' || at === null) break;
    at = (at as Readonly<Record<string | number, unknown>>)[key];
    depth += 1;
  }
  return path.slice(0, depth).join('.');
}
