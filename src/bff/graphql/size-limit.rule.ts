import { GraphQLError, Kind, type ASTVisitor, type SelectionNode } from 'graphql';
import type { OperationDefinitionNode, SelectionSetNode, ValidationContext } from 'graphql';

/** How large an operation may be. */
export interface SizeLimits {
  readonly maxDepth: number;
  readonly maxFields: number;
  readonly maxAliases: number;
  readonly maxRootFields: number;
  readonly maxDirectives: number;
}

interface Size {
  depth: number;
  fields: number;
  aliases: number;
  directives: number;
  /** Fields at the top of the selection. */
  roots: number;
}

const NOTHING: Readonly<Size> = { depth: 0, fields: 0, aliases: 0, directives: 0, roots: 0 };
const INTROSPECTION: ReadonlySet<string> = new Set(['__schema', '__type']);

/**
 * Limits depth, fields, aliases, directives and root fields of an operation, fragments counted wherever they are
 * spread. Introspection below `__schema` and `__type` at the root has no depth and no fields; graphql-js limits
 * its depth.
 */
export function sizeLimitRule(limits: SizeLimits): (context: ValidationContext) => ASTVisitor {
  return (context) => {
    const meter = new SizeMeter(context);
    return {
      OperationDefinition(node) {
        for (const message of excesses(meter.operation(node), limits)) {
          context.reportError(new GraphQLError(message, { nodes: node }));
        }
        return false;
      },
    };
  };
}

function excesses(size: Readonly<Size>, limits: SizeLimits): readonly string[] {
  const messages: string[] = [];
  if (size.depth > limits.maxDepth) {
    messages.push(`The operation is ${size.depth} levels deep; at most ${limits.maxDepth} are allowed.`);
  }
  if (size.fields > limits.maxFields)
    messages.push(`The operation selects more than ${limits.maxFields} fields.`);
  if (size.aliases > limits.maxAliases)
    messages.push(`The operation has more than ${limits.maxAliases} aliases.`);
  if (size.roots > limits.maxRootFields)
    messages.push(`The operation has more than ${limits.maxRootFields} fields at its root.`);
  if (size.directives > limits.maxDirectives)
    messages.push(`The operation has more than ${limits.maxDirectives} directives.`);
  return messages;
}

/** Measures selection sets; each fragment once, so that spreads of spreads cost no exponential time. */
class SizeMeter {
  readonly #context: ValidationContext;
  readonly #fragments = new Map<string, Readonly<Size>>();

  constructor(context: ValidationContext) {
    this.#context = context;
  }

  operation(node: OperationDefinitionNode): Readonly<Size> {
    const size = this.#measure(node.selectionSet, true);
    const onVariables = (node.variableDefinitions ?? []).reduce((sum, one) => sum + directivesOf(one), 0);
    return { ...size, directives: size.directives + directivesOf(node) + onVariables };
  }

  #measure(set: SelectionSetNode, atRoot: boolean): Readonly<Size> {
    const sum = { ...NOTHING };
    for (const selection of set.selections) {
      const size = this.#sizeOf(selection, atRoot);
      sum.depth = Math.max(sum.depth, size.depth);
      sum.fields += size.fields;
      sum.aliases += size.aliases;
      sum.directives += size.directives + directivesOf(selection);
      sum.roots += size.roots;
    }
    return sum;
  }

  #sizeOf(selection: SelectionNode, atRoot: boolean): Readonly<Size> {
    if (selection.kind === Kind.FRAGMENT_SPREAD) return this.#fragment(selection.name.value, atRoot);
    if (selection.kind === Kind.INLINE_FRAGMENT) return this.#measure(selection.selectionSet, atRoot);
    const aliases = selection.alias === undefined ? 0 : 1;
    if (atRoot && INTROSPECTION.has(selection.name.value)) return { ...NOTHING, aliases, roots: 1 };
    const below =
      selection.selectionSet === undefined ? NOTHING : this.#measure(selection.selectionSet, false);
    return {
      depth: below.depth + 1,
      fields: below.fields + 1,
      aliases: below.aliases + aliases,
      directives: below.directives,
      roots: 1,
    };
  }

  #fragment(name: string, atRoot: boolean): Readonly<Size> {
    const key = atRoot ? `root ${name}` : name;
    const known = this.#fragments.get(key);
    if (known !== undefined) return known;
    // A fragment that spreads itself is refused by another rule; here it must only come to an end.
    this.#fragments.set(key, NOTHING);
    const fragment = this.#context.getFragment(name);
    if (!fragment) return NOTHING;
    const inside = this.#measure(fragment.selectionSet, atRoot);
    const size = { ...inside, directives: inside.directives + directivesOf(fragment) };
    this.#fragments.set(key, size);
    return size;
  }
}

function directivesOf(node: { readonly directives?: readonly unknown[] | undefined }): number {
  return node.directives?.length ?? 0;
}
