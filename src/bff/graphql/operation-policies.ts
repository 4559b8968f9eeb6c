import { getNamedType, isAbstractType, isObjectType, Kind, typeFromAST } from 'graphql';
import type { DocumentNode, FragmentDefinitionNode, GraphQLNamedType, GraphQLSchema } from 'graphql';
import type { OperationDefinitionNode, SelectionSetNode } from 'graphql';
import type { FieldPolicies } from './field-policies.ts';
import type { Requirement } from './field-requirements.ts';

/** How long an answer is good. */
export interface CacheHint {
  readonly ttlMs: number;
  readonly scope: 'principal' | 'public';
}

/** What the policies of its fields mean for an operation. */
export interface OperationPolicies {
  readonly requirements: readonly Requirement[];
  /** The shortest of all fields; undefined unless every field at the root says something. */
  readonly cache: CacheHint | undefined;
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
  if (!root) return { requirements: [], cache: undefined };
  const collector = new Collector(schema, document, policies);
  collector.walk(operation.selectionSet, root, true);
  return collector.result;
}

class Collector {
  readonly #schema: GraphQLSchema;
  readonly #policies: FieldPolicies;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #requirements = new Set<Requirement>();
  readonly #walked = new Set<string>();
  #ttlMs = Infinity;
  #scope: CacheHint['scope'] = 'public';

  constructor(schema: GraphQLSchema, document: DocumentNode, policies: FieldPolicies) {
    this.#schema = schema;
    this.#policies = policies;
    const fragments = document.definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
    this.#fragments = new Map(fragments.map((node) => [node.name.value, node]));
  }

  get result(): OperationPolicies {
    const cacheable = this.#ttlMs > 0 && this.#ttlMs !== Infinity;
    // What depends on who asks is not the same for everybody.
    const scope = this.#requirements.size > 0 ? 'principal' : this.#scope;
    return {
      requirements: [...this.#requirements],
      cache: cacheable ? { ttlMs: this.#ttlMs, scope } : undefined,
    };
  }

  walk(set: SelectionSetNode, type: GraphQLNamedType, atRoot: boolean): void {
    for (const selection of set.selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) this.#fragment(selection.name.value, type, atRoot);
      else if (selection.kind === Kind.INLINE_FRAGMENT) {
        const { typeCondition, selectionSet } = selection;
        const inner = typeCondition === undefined ? type : typeFromAST(this.#schema, typeCondition);
        this.walk(selectionSet, inner ?? type, atRoot);
      } else this.#field(selection.name.value, selection.selectionSet, type, atRoot);
    }
  }

  #fragment(name: string, type: GraphQLNamedType, atRoot: boolean): void {
    const key = `${name} ${atRoot}`;
    const fragment = this.#fragments.get(name);
    if (fragment === undefined || this.#walked.has(key)) return;
    this.#walked.add(key);
    this.walk(fragment.selectionSet, typeFromAST(this.#schema, fragment.typeCondition) ?? type, atRoot);
  }

  #field(name: string, below: SelectionSetNode | undefined, parent: GraphQLNamedType, atRoot: boolean): void {
    const possible = isAbstractType(parent) ? this.#schema.getPossibleTypes(parent) : [parent];
    for (const type of possible) {
      const field = isObjectType(type) ? type.getFields()[name] : undefined;
      if (field === undefined) continue;
      const policy = this.#policies.of(field);
      const target = getNamedType(field.type);
      for (const requirement of policy?.requirements ?? []) this.#requirements.add(requirement);
      this.#hint(policy?.cache ?? this.#policies.cacheOf(target.name), atRoot);
      if (below !== undefined) this.walk(below, target, false);
    }
  }

  #hint(
    cache: { readonly ttl: number; readonly scope: CacheHint['scope'] } | undefined,
    atRoot: boolean,
  ): void {
    if (cache === undefined) {
      if (atRoot) this.#ttlMs = 0;
      return;
    }
    this.#ttlMs = Math.min(this.#ttlMs, cache.ttl);
    if (cache.scope === 'principal') this.#scope = 'principal';
  }
}
