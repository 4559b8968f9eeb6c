import { getNamedType, isAbstractType, isObjectType, Kind, typeFromAST } from 'graphql';
import type {
  DocumentNode,
  FieldNode,
  FragmentDefinitionNode,
  GraphQLNamedType,
  GraphQLSchema,
} from 'graphql';
import type { OperationDefinitionNode, SelectionSetNode } from 'graphql';
import type { FieldPolicies, FieldPolicy } from './field-policies.ts';
import type { Requirement } from './field-requirements.ts';

/** How long an answer is good, as far as its fields say. */
export interface CacheHint {
  /** The shortest of all fields; `Infinity` when none says anything, 0 when one forbids to keep it. */
  readonly ttlMs: number;
  readonly scope: 'principal' | 'public';
  /** The keys of those fields at the root that say nothing. */
  readonly silent: readonly string[];
}

/** What the policies of its fields mean for an operation. */
export interface OperationPolicies {
  readonly requirements: readonly Requirement[];
  readonly cache: CacheHint;
}

/**
 * Collects the policies of everything that an operation selects, once per operation. A selection on an interface
 * or a union counts for each type that it may turn out to be.
 */
export function policiesOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  policies: FieldPolicies,
): OperationPolicies {
  const root = schema.getRootType(operation.operation);
  if (!root) return NO_POLICIES;
  const collector = new Collector(schema, document, policies);
  collector.walk(operation.selectionSet, root, true);
  return collector.result;
}

/** What an operation has whose fields say nothing: its answer is not kept. */
export const NO_POLICIES: OperationPolicies = Object.freeze({
  requirements: [],
  cache: Object.freeze({ ttlMs: 0, scope: 'principal', silent: [] }),
});

class Collector {
  readonly #schema: GraphQLSchema;
  readonly #policies: FieldPolicies;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #requirements = new Set<Requirement>();
  readonly #walked = new Set<string>();
  readonly #silent = new Set<string>();
  #ttlMs = Infinity;
  #scope: CacheHint['scope'] = 'public';

  constructor(schema: GraphQLSchema, document: DocumentNode, policies: FieldPolicies) {
    this.#schema = schema;
    this.#policies = policies;
    const fragments = document.definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
    this.#fragments = new Map(fragments.map((node) => [node.name.value, node]));
  }

  get result(): OperationPolicies {
    // What depends on who asks is not the same for everybody.
    const scope = this.#requirements.size > 0 ? 'principal' : this.#scope;
    return {
      requirements: [...this.#requirements],
      cache: { ttlMs: this.#ttlMs, scope, silent: [...this.#silent] },
    };
  }

  walk(set: SelectionSetNode, type: GraphQLNamedType, atRoot: boolean): void {
    for (const selection of set.selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) this.#fragment(selection.name.value, type, atRoot);
      else if (selection.kind === Kind.INLINE_FRAGMENT) {
        const { typeCondition, selectionSet } = selection;
        const inner = typeCondition === undefined ? type : typeFromAST(this.#schema, typeCondition);
        this.walk(selectionSet, inner ?? type, atRoot);
      } else this.#field(selection, type, atRoot);
    }
  }

  #fragment(name: string, type: GraphQLNamedType, atRoot: boolean): void {
    const key = `${name} ${atRoot}`;
    const fragment = this.#fragments.get(name);
    if (fragment === undefined || this.#walked.has(key)) return;
    this.#walked.add(key);
    this.walk(fragment.selectionSet, typeFromAST(this.#schema, fragment.typeCondition) ?? type, atRoot);
  }

  #field({ name, alias, selectionSet }: FieldNode, parent: GraphQLNamedType, atRoot: boolean): void {
    const possible = isAbstractType(parent) ? this.#schema.getPossibleTypes(parent) : [parent];
    for (const type of possible) {
      const field = isObjectType(type) ? type.getFields()[name.value] : undefined;
      if (field === undefined) continue;
      const policy = this.#policies.of(field);
      const target = getNamedType(field.type);
      for (const requirement of policy?.requirements ?? []) this.#requirements.add(requirement);
      const hint = policy?.cache ?? this.#policies.cacheOf(target.name);
      if (hint !== undefined) this.#hint(hint);
      else if (atRoot) this.#silent.add((alias ?? name).value);
      if (selectionSet !== undefined) this.walk(selectionSet, target, false);
    }
  }

  #hint(cache: NonNullable<FieldPolicy['cache']>): void {
    if (cache === 'off') return void (this.#ttlMs = 0);
    this.#ttlMs = Math.min(this.#ttlMs, cache.ttl);
    if (cache.scope === 'principal') this.#scope = 'principal';
  }
}
