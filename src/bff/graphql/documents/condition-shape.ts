import { Kind } from 'graphql';
import type {
  DocumentNode,
  FieldNode,
  FragmentDefinitionNode,
  SelectionNode,
  SelectionSetNode,
} from 'graphql';

/** A field at a place of the answer, and whether `@skip` or `@include` can leave it out. */
interface PlacedField {
  readonly node: FieldNode;
  readonly isConditional: boolean;
}

/** Selections of one place, and whether all of them can be left out together. */
interface PlacedSet {
  readonly set: SelectionSetNode;
  readonly isConditional: boolean;
}

/**
 * Whether graphql-jit keeps the conditions of a document apart. It keeps them at the nodes of the syntax tree, so it
 * mixes them up where a fragment is spread in several places and one of them is conditional, and where several fields
 * become one object and one of them is conditional. Call it for documents whose size is known to be bounded.
 */
export function hasSeparateConditions(document: DocumentNode): boolean {
  const walk = new ConditionWalk(document);
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    walk.place([{ set: definition.selectionSet, isConditional: false }]);
  }
  return walk.isSeparate;
}

class ConditionWalk {
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Whether one of the spreads so far was conditional, by fragment. */
  readonly #spread = new Map<string, boolean>();
  isSeparate = true;

  constructor(document: DocumentNode) {
    const fragments = document.definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
    this.#fragments = new Map(fragments.map((node) => [node.name.value, node]));
  }

  /** Walks what is merged at one place of the answer. Types do not matter: to mix up too much is only slower. */
  place(sets: readonly PlacedSet[]): void {
    const fields = new Map<string, PlacedField[]>();
    const seen = new Set<string>();
    for (const { set, isConditional } of sets) this.#collect(set, isConditional, fields, seen);
    for (const together of fields.values()) {
      if (!this.isSeparate) return;
      const below = together.flatMap(({ node, isConditional }) =>
        node.selectionSet === undefined ? [] : [{ set: node.selectionSet, isConditional }],
      );
      if (below.length > 1 && below.some((one) => one.isConditional)) this.isSeparate = false;
      else if (below.length > 0) this.place(below);
    }
  }

  #collect(
    set: SelectionSetNode,
    within: boolean,
    fields: Map<string, PlacedField[]>,
    seen: Set<string>,
  ): void {
    for (const selection of set.selections) {
      const isConditional = within || hasCondition(selection);
      if (selection.kind === Kind.INLINE_FRAGMENT)
        this.#collect(selection.selectionSet, isConditional, fields, seen);
      else if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const fragment = this.#fragment(selection.name.value, isConditional);
        if (fragment === undefined || seen.has(selection.name.value)) continue;
        seen.add(selection.name.value);
        this.#collect(fragment.selectionSet, isConditional, fields, seen);
      } else {
        const key = (selection.alias ?? selection.name).value;
        const together = fields.get(key);
        if (together === undefined) fields.set(key, [{ node: selection, isConditional }]);
        else together.push({ node: selection, isConditional });
      }
    }
  }

  #fragment(name: string, isConditional: boolean): FragmentDefinitionNode | undefined {
    const before = this.#spread.get(name);
    if (before === true || (before === false && isConditional)) this.isSeparate = false;
    this.#spread.set(name, isConditional);
    return this.#fragments.get(name);
  }
}

function hasCondition({ directives = [] }: SelectionNode): boolean {
  return directives.some(({ name }) => name.value === 'skip' || name.value === 'include');
}
