import { Kind, type GraphQLError } from 'graphql';
import type { DegradedPart } from '../../../exchange/exchange.ts';
import { degradedParts } from '../../section-parts.ts';
import { shownProblem } from './error-problems.ts';
import type { PlacedSection } from './operation-context.ts';

/** A field whose name in the schema is not known any more. */
const SOME_FIELD = '*';

/**
 * What is not as it should be in an answer, for the access line: the sections of views, and each kind of error that is
 * none of theirs. By names of the definitions only; paths in the answer have aliases, and those are the client's text.
 */
export function loggedParts(
  placed: readonly PlacedSection[],
  errors: readonly GraphQLError[],
): readonly DegradedPart[] {
  const parts: DegradedPart[] = placed.flatMap(({ run }) =>
    run.section.pick === undefined ? (run.degradation ?? []) : degradedParts([run]),
  );
  for (const error of errors) {
    const { code } = shownProblem(error);
    if (!parts.some((one) => one.code === code))
      parts.push({ section: fieldOf(error.nodes), code, via: 'error' });
  }
  return parts;
}

/** The name in the schema of the field that an error belongs to. */
export function fieldOf(nodes: GraphQLError['nodes']): string {
  const [node] = nodes ?? [];
  return node?.kind === Kind.FIELD ? node.name.value : SOME_FIELD;
}
