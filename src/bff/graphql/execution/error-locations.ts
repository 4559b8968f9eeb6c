import { Kind, valueFromAST, GraphQLBoolean } from 'graphql';
import type {
  DocumentNode,
  FieldNode,
  FragmentDefinitionNode,
  GraphQLError,
  OperationDefinitionNode,
  SelectionNode,
  SelectionSetNode,
  SourceLocation,
} from 'graphql';
import { placeOf } from '../documents/document-places.ts';

type Variables = Readonly<Record<string, unknown>>;

/**
 * Where the fields of an operation stand in its document that are at a place of its answer, given what `@skip` and
 * `@include` say. A compiled operation knows no locations: it would make them for every value that it checks.
 */
export class ErrorLocations {
  readonly #operation: OperationDefinitionNode;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;

  constructor(document: DocumentNode, operation: OperationDefinitionNode) {
    this.#operation = operation;
    const fragments = document.definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
    this.#fragments = new Map(fragments.map((node) => [node.name.value, node]));
  }

  /** The same error, with the fields at its path and their locations. */
  locate(error: GraphQLError, given: Variables): GraphQLError {
    const { path } = error;
    if (path === undefined) return error;
    const nodes = this.#fieldsAt(path, given);
    const locations: readonly SourceLocation[] = nodes.flatMap((field) => placeOf(field) ?? []);
    return Object.create(error, {
      locations: { value: locations, enumerable: true },
      nodes: { value: nodes },
    }) as GraphQLError;
  }

  #fieldsAt(path: readonly (string | number)[], given: Variables): readonly FieldNode[] {
    let sets: SelectionSetNode[] = [this.#operation.selectionSet];
    let fields: FieldNode[] = [];
    const variables = this.#variables(given);
    for (const key of path) {
      if (typeof key === 'number') continue;
      // A fragment is collected once for all selections that become one object.
      const seen = new Set<string>();
      fields = sets.flatMap((set) => this.#fieldsOf(set, key, variables, seen));
      sets = fields.flatMap(({ selectionSet }) => selectionSet ?? []);
    }
    return fields;
  }

  // Types do not matter here: what belongs to another type is not among the locations.
  #fieldsOf(set: SelectionSetNode, key: string, variables: Variables, seen: Set<string>): FieldNode[] {
    return set.selections.flatMap((selection): FieldNode[] => {
      if (!isIncluded(selection, variables)) return [];
      if (selection.kind === Kind.FIELD)
        return (selection.alias ?? selection.name).value === key ? [selection] : [];
      if (selection.kind === Kind.INLINE_FRAGMENT)
        return this.#fieldsOf(selection.selectionSet, key, variables, seen);
      const fragment = this.#fragments.get(selection.name.value);
      if (fragment === undefined || seen.has(fragment.name.value)) return [];
      seen.add(fragment.name.value);
      return this.#fieldsOf(fragment.selectionSet, key, variables, seen);
    });
  }

  #variables(given: Variables): Variables {
    const defaults = (this.#operation.variableDefinitions ?? []).flatMap(({ variable, defaultValue }) =>
      defaultValue?.kind === Kind.BOOLEAN ? [[variable.name.value, defaultValue.value] as const] : [],
    );
    return { ...Object.fromEntries(defaults), ...given };
  }
}

function isIncluded({ directives = [] }: SelectionNode, variables: Variables): boolean {
  return directives.every(({ name, arguments: args = [] }) => {
    const condition = args.find((one) => one.name.value === 'if')?.value;
    if (condition === undefined) return true;
    const value: unknown = valueFromAST(condition, GraphQLBoolean, variables);
    if (name.value === 'skip') return value !== true;
    return name.value !== 'include' || value === true;
  });
}
