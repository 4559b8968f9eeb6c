import {
  getNamedType,
  isAbstractType,
  isCompositeType,
  isInputObjectType,
  isObjectType,
  Kind,
  typeFromAST,
} from 'graphql';
import type { DocumentNode, FragmentDefinitionNode, GraphQLInputType, GraphQLObjectType } from 'graphql';
import type {
  GraphQLNamedType,
  GraphQLSchema,
  OperationDefinitionNode,
  SelectionSetNode,
  TypeNode,
} from 'graphql';

/** Pieces of code that a compiled operation may have; a large page of an application has a few hundred. */
const MAX_PIECES = 2000;

/**
 * Counts the pieces of code that graphql-jit would write for an operation: one for each path of a variable's
 * type, without end where an input type contains itself, and one for each field of each possible type of an
 * interface or union. Unchecked, one document could take all memory of the process.
 *
 * @returns undefined when there are so many that the operation must not be compiled.
 */
export function piecesOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): number | undefined {
  const root = schema.getRootType(operation.operation);
  if (root === undefined || root === null) return undefined;
  const meter = new PieceMeter(schema, document);
  for (const { type } of operation.variableDefinitions ?? []) meter.variable(type);
  meter.selections(operation.selectionSet, root);
  return meter.counted;
}

class PieceMeter {
  readonly #schema: GraphQLSchema;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  #left = MAX_PIECES;

  constructor(schema: GraphQLSchema, document: DocumentNode) {
    this.#schema = schema;
    const fragments = document.definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
    this.#fragments = new Map(fragments.map((node) => [node.name.value, node]));
  }

  get counted(): number | undefined {
    return this.#left < 0 ? undefined : MAX_PIECES - this.#left;
  }

  variable(node: TypeNode): void {
    const type = typeFromAST(this.#schema, node as Parameters<typeof typeFromAST>[1]);
    if (type !== undefined) this.#input(type as GraphQLInputType);
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

  #input(type: GraphQLInputType): void {
    if ((this.#left -= 1) < 0) return;
    const named = getNamedType(type);
    if (!isInputObjectType(named)) return;
    for (const field of Object.values(named.getFields())) this.#input(field.type);
  }
}
