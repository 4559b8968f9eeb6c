import { GraphQLError, Kind, type ASTVisitor, type SelectionSetNode, type ValidationContext } from 'graphql';

/** How large an operation may be. */
export interface SizeLimits {
  readonly maxDepth: number;
  readonly maxFields: number;
}

interface Size {
  readonly depth: number;
  readonly fields: number;
}

const NOTHING: Size = { depth: 0, fields: 0 };
const INTROSPECTION: ReadonlySet<string> = new Set(['__schema', '__type']);

/**
 * Limits depth and number of fields of an operation, fragments counted wherever they are spread. Introspection
 * below `__schema` and `__type` at the root is left out; graphql-js limits its depth.
 */
export function sizeLimitRule(limits: SizeLimits): (context: ValidationContext) => ASTVisitor {
  return (context) => {
    const meter = new SizeMeter(context);
    return {
      OperationDefinition(node) {
        const { depth, fields } = meter.measure(node.selectionSet, true);
        if (depth > limits.maxDepth) {
          context.reportError(
            new GraphQLError(
              `The operation is ${depth} levels deep; at most ${limits.maxDepth} are allowed.`,
              {
                nodes: node,
              },
            ),
          );
        }
        if (fields > limits.maxFields) {
          const message = `The operation selects more than ${limits.maxFields} fields.`;
          context.reportError(new GraphQLError(message, { nodes: node }));
        }
        return false;
      },
    };
  };
}

/** Measures selection sets; each fragment once, so that spreads of spreads cost no exponential time. */
class SizeMeter {
  readonly #context: ValidationContext;
  readonly #fragments = new Map<string, Size>();

  constructor(context: ValidationContext) {
    this.#context = context;
  }

  measure(set: SelectionSetNode, atRoot: boolean): Size {
    let depth = 0;
    let fields = 0;
    for (const selection of set.selections) {
      let size: Size;
      if (selection.kind === Kind.FRAGMENT_SPREAD) size = this.#fragment(selection.name.value, atRoot);
      else if (selection.kind === Kind.INLINE_FRAGMENT) size = this.measure(selection.selectionSet, atRoot);
      else if (atRoot && INTROSPECTION.has(selection.name.value)) size = NOTHING;
      else {
        const below =
          selection.selectionSet === undefined ? NOTHING : this.measure(selection.selectionSet, false);
        size = { depth: below.depth + 1, fields: below.fields + 1 };
      }
      depth = Math.max(depth, size.depth);
      fields += size.fields;
    }
    return { depth, fields };
  }

  #fragment(name: string, atRoot: boolean): Size {
    const key = atRoot ? `root ${name}` : name;
    const known = this.#fragments.get(key);
    if (known !== undefined) return known;
    // A fragment that spreads itself is refused by another rule; here it must only come to an end.
    this.#fragments.set(key, NOTHING);
    const fragment = this.#context.getFragment(name);
    const size = fragment ? this.measure(fragment.selectionSet, atRoot) : NOTHING;
    this.#fragments.set(key, size);
    return size;
  }
}
