import { visit, type ASTNode, type DocumentNode, type GraphQLError, type SourceLocation } from 'graphql';

/** Most places that one error tells. */
const MOST_PLACES = 20;

const places = new WeakMap<ASTNode, SourceLocation>();

/**
 * Takes the locations out of a document, and keeps for each node only its line and column. graphql-js counts the lines from the
 * top of the text again for each error that it makes, told or not: a document of blank lines, and a list whose elements
 * fail, would cost seconds.
 *
 * @returns the same document, whose errors have `nodes` and no `locations`; {@link placesOf} tells them.
 */
export function keepPlaces(document: DocumentNode): DocumentNode {
  visit(document, {
    enter(node) {
      // The document keeps its text; it belongs to no error.
      if (node === document || node.loc === undefined) return;
      const { line, column } = node.loc.startToken;
      places.set(node, { line, column });
      delete (node as { loc?: unknown }).loc;
    },
  });
  return document;
}

/** Where a node stands in its document; undefined when nobody knows. */
export function placeOf(node: ASTNode): SourceLocation | undefined {
  return places.get(node);
}

/** What an error tells as its `locations`; undefined when it belongs to no place of a document. */
export function placesOf({
  locations,
  nodes,
}: Pick<GraphQLError, 'locations'> & Partial<Pick<GraphQLError, 'nodes'>>):
  | readonly SourceLocation[]
  | undefined {
  if (locations !== undefined) return locations.slice(0, MOST_PLACES);
  const found = nodes?.slice(0, MOST_PLACES).flatMap((node) => placeOf(node) ?? []) ?? [];
  return found.length === 0 ? undefined : found;
}
