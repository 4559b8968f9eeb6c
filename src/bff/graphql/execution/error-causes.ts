import { getNamedType, isInterfaceType, isListType, isNonNullType, isObjectType, Kind } from 'graphql';
import { getNullableType, typeFromAST } from 'graphql';
import type { DocumentNode, FragmentDefinitionNode, GraphQLNamedType, GraphQLOutputType } from 'graphql';
import type { GraphQLError, GraphQLSchema, OperationDefinitionNode, SelectionSetNode } from 'graphql';

/** What is selected on something of a type. */
interface Selected {
  readonly set: SelectionSetNode;
  readonly type: GraphQLNamedType;
}

interface Field {
  readonly type: GraphQLOutputType;
  readonly below: SelectionSetNode | undefined;
}

/** Tells which errors of an operation can make more `null` than their own place. */
export class ErrorCauses {
  readonly #schema: GraphQLSchema;
  readonly #operation: OperationDefinitionNode;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;

  constructor(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) {
    this.#schema = schema;
    this.#operation = operation;
    const fragments = document.definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
    this.#fragments = new Map(fragments.map((node) => [node.name.value, node]));
  }

  /** Whether what is at the place of an error must not be `null`. Conditions do not change types, and do not matter. */
  goesUp({ path = [] }: GraphQLError): boolean {
    const root = this.#schema.getRootType(this.#operation.operation);
    if (!root) return false;
    let selected: readonly Selected[] = [{ set: this.#operation.selectionSet, type: root }];
    let types: readonly GraphQLOutputType[] = [];
    for (const key of path) {
      if (typeof key === 'number') {
        types = types.flatMap(elementOf);
        continue;
      }
      const seen = new Set<string>();
      const fields = selected.flatMap((one) => this.#fieldsOf(one, key, seen));
      types = fields.map(({ type }) => type);
      selected = fields.flatMap(({ type, below }) =>
        below === undefined ? [] : [{ set: below, type: getNamedType(type) }],
      );
    }
    return types.some((type) => isNonNullType(type));
  }

  #fieldsOf({ set, type }: Selected, key: string, seen: Set<string>): Field[] {
    return set.selections.flatMap((selection): Field[] => {
      if (selection.kind === Kind.FIELD) {
        if ((selection.alias ?? selection.name).value !== key) return [];
        const fields = isObjectType(type) || isInterfaceType(type) ? type.getFields() : {};
        const field = fields[selection.name.value];
        return field === undefined ? [] : [{ type: field.type, below: selection.selectionSet }];
      }
      const isSpread = selection.kind === Kind.FRAGMENT_SPREAD;
      const fragment = isSpread ? this.#fragments.get(selection.name.value) : selection;
      if (fragment === undefined) return [];
      if (isSpread) {
        if (seen.has(selection.name.value)) return [];
        seen.add(selection.name.value);
      }
      const { typeCondition, selectionSet } = fragment;
      const inner = typeCondition === undefined ? type : typeFromAST(this.#schema, typeCondition);
      return this.#fieldsOf({ set: selectionSet, type: inner ?? type }, key, seen);
    });
  }
}

function elementOf(type: GraphQLOutputType): readonly GraphQLOutputType[] {
  const list = getNullableType(type);
  return isListType(list) ? [list.ofType as GraphQLOutputType] : [];
}
