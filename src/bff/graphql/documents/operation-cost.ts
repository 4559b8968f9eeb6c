import { getNamedType, getNullableType, isCompositeType, isListType, Kind, typeFromAST } from 'graphql';
import { isInterfaceType, isObjectType } from 'graphql';
import type { DocumentNode, FieldNode, FragmentDefinitionNode, GraphQLField, GraphQLSchema } from 'graphql';
import type { GraphQLNamedType, OperationDefinitionNode, SelectionSetNode } from 'graphql';
import { COST_EXTENSION, type CostOptions } from './cost.decorator.ts';

const SLICING = ['first', 'last', 'limit'];

type Values = Readonly<Record<string, unknown>> | null | undefined;
/** A number that is known beforehand, or one that the variables of a request decide. */
type Amount = number | ((variables: Values) => number);

/**
 * Compiles what an operation costs: 1 for each object, 0 for a scalar, more or less where `@Cost` says so, and
 * everything in a list times the size of the list. A number, unless variables decide the size of a list.
 * Fragments on different types are added up: an answer never costs more than it was said to.
 */
export function costOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  listSize: number,
): Amount {
  const root = schema.getRootType(operation.operation);
  if (!root) return 0;
  return new CostMeter(schema, document, operation, listSize).selections(operation.selectionSet, root);
}

/** The cost for one request. */
export function amountOf(amount: Amount, variables: Values): number {
  return typeof amount === 'number' ? amount : amount(variables);
}

/** Counts the parts of one operation. */
export class CostMeter {
  readonly #schema: GraphQLSchema;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #defaults: ReadonlyMap<string, number>;
  readonly #listSize: number;
  readonly #known = new Map<string, Amount>();

  constructor(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    listSize: number,
  ) {
    this.#schema = schema;
    this.#listSize = listSize;
    const fragments = document.definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
    this.#fragments = new Map(fragments.map((node) => [node.name.value, node]));
    this.#defaults = new Map(
      (operation.variableDefinitions ?? []).flatMap(({ variable, defaultValue }) =>
        defaultValue?.kind === Kind.INT ? [[variable.name.value, Number(defaultValue.value)]] : [],
      ),
    );
  }

  /** What the fields of a selection cost, once. */
  selections(set: SelectionSetNode, type: GraphQLNamedType): Amount {
    return set.selections.reduce<Amount>((sum, selection) => {
      if (selection.kind === Kind.FIELD) return plus(sum, this.field(selection, type));
      if (selection.kind === Kind.FRAGMENT_SPREAD) return plus(sum, this.#fragment(selection.name.value));
      const { typeCondition, selectionSet } = selection;
      const inner = typeCondition === undefined ? type : typeFromAST(this.#schema, typeCondition);
      return plus(sum, this.selections(selectionSet, inner ?? type));
    }, 0);
  }

  /** What a field costs with everything in it, on one object. */
  field(node: FieldNode, parent: GraphQLNamedType): Amount {
    const fields = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields() : {};
    const field = fields[node.name.value];
    // Introspection is limited by its depth, and off in production.
    if (field === undefined) return 0;
    const { weight = 0 } = costOptions(field);
    const type = getNamedType(field.type);
    const each = isCompositeType(type) ? (costOptions(type).weight ?? 1) : 0;
    const below = node.selectionSet === undefined ? 0 : this.selections(node.selectionSet, type);
    const inside = plus(each, below);
    return plus(weight, times(this.sizeOf(node, field), inside));
  }

  /** How many objects a field brings: 1 for what is no list. */
  sizeOf(node: FieldNode, field: GraphQLField<unknown, unknown>): Amount {
    const list = costOptions(field);
    if (!isListType(getNullableType(field.type)) && list.listSize === undefined) return 1;
    const declared = list.listSize ?? this.#listSize;
    for (const name of list.slicing ?? SLICING) {
      const argument = field.args.find((one) => one.name === name);
      if (argument === undefined) continue;
      const given = node.arguments?.find((one) => one.name.value === name)?.value;
      const fallback = sizeFrom(argument.defaultValue, declared);
      if (given === undefined && argument.defaultValue === undefined) continue;
      if (given?.kind === Kind.INT) return sizeFrom(Number(given.value), declared);
      if (given?.kind !== Kind.VARIABLE) return fallback;
      const variable = given.name.value;
      const unset = this.#defaults.get(variable) ?? fallback;
      return (variables) => sizeFrom(variables?.[variable], unset);
    }
    return declared;
  }

  // Each fragment once: it costs the same wherever it is spread.
  #fragment(name: string): Amount {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const fragment = this.#fragments.get(name);
    const type = fragment && typeFromAST(this.#schema, fragment.typeCondition);
    const cost =
      fragment === undefined || type === undefined ? 0 : this.selections(fragment.selectionSet, type);
    this.#known.set(name, cost);
    return cost;
  }
}

function costOptions({
  extensions,
}: {
  readonly extensions: Readonly<Record<string, unknown>>;
}): CostOptions {
  return (extensions[COST_EXTENSION] as CostOptions | undefined) ?? {};
}

// A negative or broken size is for the resolver to refuse; it must not make an operation cheaper.
function sizeFrom(value: unknown, otherwise: number): number {
  return typeof value === 'number' && value >= 0 ? value : otherwise;
}

function plus(a: Amount, b: Amount): Amount {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  return (variables) => amountOf(a, variables) + amountOf(b, variables);
}

function times(a: Amount, b: Amount): Amount {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  return (variables) => amountOf(a, variables) * amountOf(b, variables);
}
