import { GraphQLError, Kind, type ASTVisitor, type FieldNode } from 'graphql';
import type { SelectionSetNode, ValidationContext } from 'graphql';

/**
 * Limits how many pairs of fields, and of spreads, meet at one place of the answer, counted over a document: each pair is
 * compared to find out whether they can be merged. Call it for documents whose size is known to be bounded.
 */
export function mergeLimitRule(maxMerges: number): (context: ValidationContext) => ASTVisitor {
  return (context) => {
    const meter = new MergeMeter(context, maxMerges);
    return {
      OperationDefinition(node) {
        if (meter.isSpent) return false;
        meter.place([node.selectionSet]);
        if (meter.isSpent) {
          const message = `More than ${maxMerges} pairs of fields meet at the same places; select each field once.`;
          context.reportError(new GraphQLError(message, { nodes: node }));
        }
        return false;
      },
    };
  };
}

/** Counts the pairs of a document until there are too many. */
class MergeMeter {
  readonly #context: ValidationContext;
  #left: number;

  constructor(context: ValidationContext, maxMerges: number) {
    this.#context = context;
    this.#left = maxMerges;
  }

  get isSpent(): boolean {
    return this.#left < 0;
  }

  /** Counts what meets within selections that belong to one place. Types do not matter: an upper bound is enough. */
  place(sets: readonly SelectionSetNode[]): void {
    const fields = new Map<string, FieldNode[]>();
    const spreads = new Set<string>();
    for (const set of sets) this.#collect(set, fields, spreads);
    this.#left -= pairsOf(spreads.size);
    for (const together of fields.values()) {
      this.#left -= pairsOf(together.length);
      if (this.isSpent) return;
      const below = together.flatMap(({ selectionSet }) => selectionSet ?? []);
      if (below.length > 0) this.place(below);
    }
  }

  #collect(set: SelectionSetNode, fields: Map<string, FieldNode[]>, spreads: Set<string>): void {
    for (const selection of set.selections) {
      if (selection.kind === Kind.INLINE_FRAGMENT) this.#collect(selection.selectionSet, fields, spreads);
      else if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const { value } = selection.name;
        // Fields of a fragment that is spread twice are the same ones.
        if (spreads.has(value)) continue;
        spreads.add(value);
        const fragment = this.#context.getFragment(value);
        if (fragment) this.#collect(fragment.selectionSet, fields, spreads);
      } else {
        const key = (selection.alias ?? selection.name).value;
        const together = fields.get(key);
        if (together === undefined) fields.set(key, [selection]);
        else together.push(selection);
      }
    }
  }
}

function pairsOf(count: number): number {
  return (count * (count - 1)) / 2;
}
