import type { ExecutionResult, GraphQLError } from 'graphql';

/** Most errors that one answer tells; documented in docs/graphql.md. */
export const MOST_ERRORS = 100;
/** Most errors that are looked at to find out which of them made more `null` than their own place. */
const MOST_LOOKS = 1000;

/**
 * The same outcome with one error for each place that became `null`, and at most {@link MOST_ERRORS} of them: what
 * failed below such a place does not show, and is not told (GraphQL specification, section 6.4.4). How many places are
 * left out is counted in `extensions.moreErrors`.
 *
 * @param outcome of an operation that ran; it is returned as it is when nothing has to go.
 * @param goesUp whether an error can be why something above its own place became `null`; the first one that can is told.
 */
export function withToldErrors(
  outcome: ExecutionResult,
  goesUp: (error: GraphQLError) => boolean = () => true,
): ExecutionResult {
  const { data, errors } = outcome;
  if (errors === undefined || errors.length < 2) return outcome;
  const places = new Map<string, Told>();
  let looks = MOST_LOOKS;
  const isCause = (error: GraphQLError): boolean => (looks -= 1) < 0 || goesUp(error);
  for (const error of errors) {
    const place = nulledPlace(data, error.path ?? []);
    const before = places.get(place);
    if (before === undefined) places.set(place, { error, isCause: undefined });
    else if ((before.isCause ??= isCause(before.error)) === false && isCause(error))
      places.set(place, { error, isCause: true });
  }
  if (places.size === errors.length && places.size <= MOST_ERRORS) return outcome;
  const told = [...places.values()].slice(0, MOST_ERRORS).map(({ error }) => error);
  const moreErrors = places.size - told.length;
  return {
    ...outcome,
    errors: told,
    ...(moreErrors === 0 ? {} : { extensions: { ...outcome.extensions, moreErrors } }),
  };
}

interface Told {
  readonly error: GraphQLError;
  /** Whether it explains its place; undefined as long as there is no other error to choose. */
  isCause: boolean | undefined;
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
