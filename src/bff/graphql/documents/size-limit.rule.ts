import { GraphQLError, Kind, type ASTVisitor, type SelectionNode } from 'graphql';
import type { OperationDefinitionNode, SelectionSetNode, ValidationContext } from 'graphql';
import { maxNesting } from './document-nesting.ts';
import type { GraphqlLimits } from '../door/graphql.options.ts';

/** How large a document may be. */
export type SizeLimits = Pick<
  GraphqlLimits,
  | 'maxTokens'
  | 'maxDepth'
  | 'maxFields'
  | 'maxAliases'
  | 'maxRootFields'
  | 'maxDirectives'
  | 'maxOperations'
  | 'maxValueDepth'
  | 'maxMerges'
>;

interface Size {
  depth: number;
  fields: number;
  aliases: number;
  directives: number;
  /** Fields at the top of the selection. */
  roots: number;
  /** Fields below `__schema` and `__type`. */
  introspected: number;
  /** How deep selections nest in all: of fields, of fragments, of fragments in fragments. */
  height: number;
}

const NOTHING: Readonly<Size> = {
  depth: 0,
  fields: 0,
  aliases: 0,
  directives: 0,
  roots: 0,
  introspected: 0,
  height: 0,
};
const INTROSPECTION: ReadonlySet<string> = new Set(['__schema', '__type']);
/** What tools ask with has about 300. */
const MAX_INTROSPECTED = 1000;
/** Each one below `__schema` or `__type` can list all fields of all types once more. */
const INTROSPECTED_ALIAS = 10;

/**
 * Limits how many operations a document has, and depth, fields, aliases, directives and root fields of each, fragments
 * counted wherever they are spread. Introspection below `__schema` and `__type` at the root has no depth and fields of
 * its own count; graphql-js limits its depth.
 */
export function sizeLimitRule(limits: SizeLimits): (context: ValidationContext) => ASTVisitor {
  return (context) => {
    const meter = new SizeMeter(context, maxNesting(limits));
    let operations = 0;
    const refuse = (message: string, nodes: OperationDefinitionNode): void =>
      context.reportError(new GraphQLError(message, { nodes }));
    return {
      OperationDefinition(node) {
        operations += 1;
        if (operations > limits.maxOperations) {
          // Told once: what comes after it is not worth a look.
          if (operations === limits.maxOperations + 1)
            refuse(`The document has more than ${limits.maxOperations} operations.`, node);
          return false;
        }
        for (const message of excesses(meter.operation(node), limits)) refuse(message, node);
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
  if (size.height > maxNesting(limits))
    messages.push(`Selections are nested more than ${maxNesting(limits)} levels deep.`);
  if (size.introspected > MAX_INTROSPECTED)
    messages.push(`The operation selects more than ${MAX_INTROSPECTED} fields of the schema itself.`);
  return messages;
}

/** Where a selection is. */
interface Place {
  readonly atRoot: boolean;
  /** Below `__schema` or `__type`. */
  readonly introspects: boolean;
  /** How many selections it is within. */
  readonly level: number;
}

/** Measures selection sets; each fragment once, so that spreads of spreads cost no exponential time. */
class SizeMeter {
  readonly #context: ValidationContext;
  readonly #maxLevel: number;
  readonly #fragments = new Map<string, Readonly<Size>>();

  constructor(context: ValidationContext, maxLevel: number) {
    this.#context = context;
    this.#maxLevel = maxLevel;
  }

  operation(node: OperationDefinitionNode): Readonly<Size> {
    const size = this.#measure(node.selectionSet, { atRoot: true, introspects: false, level: 1 });
    const onVariables = (node.variableDefinitions ?? []).reduce((sum, one) => sum + directivesOf(one), 0);
    return { ...size, directives: size.directives + directivesOf(node) + onVariables };
  }

  #measure(set: SelectionSetNode, place: Place): Readonly<Size> {
    // Fragments in fragments may nest deeper than any text; the walk must not run out of stack.
    if (place.level > this.#maxLevel) return { ...NOTHING, height: Infinity };
    const sum = { ...NOTHING };
    for (const selection of set.selections) {
      const size = this.#sizeOf(selection, place);
      sum.depth = Math.max(sum.depth, size.depth);
      sum.fields += size.fields;
      sum.aliases += size.aliases;
      sum.directives += size.directives + directivesOf(selection);
      sum.roots += size.roots;
      sum.introspected += size.introspected;
      sum.height = Math.max(sum.height, size.height + 1);
    }
    return sum;
  }

  #sizeOf(selection: SelectionNode, place: Place): Readonly<Size> {
    const below = { ...place, level: place.level + 1 };
    if (selection.kind === Kind.FRAGMENT_SPREAD) return this.#fragment(selection.name.value, below);
    if (selection.kind === Kind.INLINE_FRAGMENT) return this.#measure(selection.selectionSet, below);
    const { alias, name, selectionSet } = selection;
    const introspects = place.introspects || (place.atRoot && INTROSPECTION.has(name.value));
    const inside =
      selectionSet === undefined
        ? NOTHING
        : this.#measure(selectionSet, { ...below, atRoot: false, introspects });
    const aliases = alias === undefined ? 0 : place.introspects ? INTROSPECTED_ALIAS : 1;
    return {
      ...inside,
      depth: introspects ? 0 : inside.depth + 1,
      fields: introspects ? 0 : inside.fields + 1,
      aliases: inside.aliases + aliases,
      introspected: introspects ? inside.introspected + 1 : inside.introspected,
      roots: 1,
    };
  }

  #fragment(name: string, place: Place): Readonly<Size> {
    const key = `${place.atRoot} ${place.introspects} ${name}`;
    const known = this.#fragments.get(key);
    if (known !== undefined) return known;
    // A fragment that spreads itself is refused by another rule; here it must only come to an end.
    this.#fragments.set(key, NOTHING);
    const fragment = this.#context.getFragment(name);
    if (!fragment) return NOTHING;
    const inside = this.#measure(fragment.selectionSet, place);
    const size = { ...inside, directives: inside.directives + directivesOf(fragment) };
    this.#fragments.set(key, size);
    return size;
  }
}

function directivesOf(node: { readonly directives?: readonly unknown[] | undefined }): number {
  return node.directives?.length ?? 0;
}
