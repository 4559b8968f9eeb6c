import { getNamedType, isInterfaceType, isObjectType, Kind, typeFromAST } from 'graphql';
import type {
  DocumentNode,
  FieldNode,
  FragmentDefinitionNode,
  GraphQLNamedType,
  GraphQLSchema,
} from 'graphql';
import type { OperationDefinitionNode, SelectionSetNode } from 'graphql';
import { amountOf, CostMeter } from './operation-cost.ts';

/** What one field of an operation costs, with everything in it. */
export interface FieldCost {
  /** The keys of the answer that lead to it. */
  readonly path: readonly string[];
  readonly cost: number;
}

type Variables = Readonly<Record<string, unknown>> | null | undefined;

/** Bounds what one answer shows of a document that nobody limits. */
const MAX_FIELDS = 200;

/** Tells what each field of an operation costs that costs anything, in the order of the document. */
export function costsByField(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  listSize: number,
  variables: Variables,
): readonly FieldCost[] {
  const root = schema.getRootType(operation.operation);
  if (!root) return [];
  const walk = new Walk(schema, document, new CostMeter(schema, document, operation, listSize), variables);
  walk.selections(operation.selectionSet, root, [], 1);
  return walk.costs;
}

class Walk {
  readonly costs: FieldCost[] = [];
  readonly #schema: GraphQLSchema;
  readonly #meter: CostMeter;
  readonly #variables: Variables;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;

  constructor(schema: GraphQLSchema, document: DocumentNode, meter: CostMeter, variables: Variables) {
    this.#schema = schema;
    this.#meter = meter;
    this.#variables = variables;
    const fragments = document.definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
    this.#fragments = new Map(fragments.map((node) => [node.name.value, node]));
  }

  /** @param times how often the object is there that they are selected on. */
  selections(set: SelectionSetNode, type: GraphQLNamedType, path: readonly string[], times: number): void {
    for (const selection of set.selections) {
      if (this.costs.length >= MAX_FIELDS) return;
      if (selection.kind === Kind.FIELD) {
        this.#field(selection, type, path, times);
        continue;
      }
      const fragment =
        selection.kind === Kind.INLINE_FRAGMENT ? selection : this.#fragments.get(selection.name.value);
      if (fragment === undefined) continue;
      const { typeCondition, selectionSet } = fragment;
      const inner = typeCondition === undefined ? type : typeFromAST(this.#schema, typeCondition);
      this.selections(selectionSet, inner ?? type, path, times);
    }
  }

  #field(node: FieldNode, parent: GraphQLNamedType, above: readonly string[], times: number): void {
    const cost = times * amountOf(this.#meter.field(node, parent), this.#variables);
    if (cost <= 0) return;
    const path = [...above, (node.alias ?? node.name).value];
    this.costs.push({ path, cost });
    const field =
      isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[node.name.value] : undefined;
    if (field === undefined || node.selectionSet === undefined) return;
    const size = amountOf(this.#meter.sizeOf(node, field), this.#variables);
    this.selections(node.selectionSet, getNamedType(field.type), path, times * size);
  }
}
