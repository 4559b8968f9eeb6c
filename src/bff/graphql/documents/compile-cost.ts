import { getNamedType, isAbstractType, isCompositeType, isObjectType, Kind } from 'graphql';
import type { DocumentNode, FragmentDefinitionNode, GraphQLObjectType } from 'graphql';
import type { GraphQLNamedType, GraphQLSchema, OperationDefinitionNode, SelectionSetNode } from 'graphql';

/**
 * Pieces of code that a compiled operation may have; a large page of an application has a few hundred. Each costs up
 * to 0.07 ms in which nothing else runs.
 */
export const MAX_PIECES = 600;
/** The same for an operation of a trusted document, which nobody can choose to annoy us. */
export const MAX_TRUSTED_PIECES = 2000;

/**
 * Counts the pieces of code that graphql-jit would write for an operation: one for each field of each possible type of
 * an interface or union. Unchecked, one document could take all memory of the process.
 *
 * @returns undefined when there are so many that the operation must not be compiled.
 */
export function piecesOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  maxPieces = MAX_PIECES,
): number | undefined {
  const root = schema.getRootType(operation.operation);
  if (root === undefined || root === null) return undefined;
  const meter = new PieceMeter(schema, document, maxPieces);
  meter.selections(operation.selectionSet, root);
  return meter.counted;
}

class PieceMeter {
  readonly #schema: GraphQLSchema;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #max: number;
  #left: number;

  constructor(schema: GraphQLSchema, document: DocumentNode, maxPieces: number) {
    this.#schema = schema;
    this.#max = this.#left = maxPieces;
    const fragments = document.definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
    this.#fragments = new Map(fragments.map((node) => [node.name.value, node]));
  }

  get counted(): number | undefined {
    return this.#left < 0 ? undefined : this.#max - this.#left;
  }

  selections(set: SelectionSetNode, type: GraphQLObjectType): void {
    for (const selection of set.selections) {
      if ((this.#left -= 1) < 0) return;
      if (selection.kind === Kind.INLINE_FRAGMENT) this.selections(selection.selectionSet, type);
      else if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const fragment = this.#fragments.get(selection.name.value);
        if (fragment !== undefined) this.selections(fragment.selectionSet, type);
      } else if (selection.selectionSet !== undefined) {
        // A field that this type does not have belongs to a fragment on another one.
        const field = type.getFields()[selection.name.value];
        if (field !== undefined) this.#composite(selection.selectionSet, getNamedType(field.type));
      }
    }
  }

  #composite(set: SelectionSetNode, type: GraphQLNamedType): void {
    if (isObjectType(type)) return this.selections(set, type);
    if (!isCompositeType(type) || !isAbstractType(type)) return;
    for (const possible of this.#schema.getPossibleTypes(type)) this.selections(set, possible);
  }
}
