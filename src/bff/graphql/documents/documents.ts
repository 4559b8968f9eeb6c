import {
  GraphQLError,
  Kind,
  NoFragmentCyclesRule,
  NoSchemaIntrospectionCustomRule,
  NoUnusedFragmentsRule,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { DocumentNode, GraphQLSchema, OperationDefinitionNode, ValidationRule } from 'graphql';
import { costsByField } from './cost-by-field.ts';
import { nestingFault } from './document-nesting.ts';
import { keepPlaces } from './document-places.ts';
import type { FieldPolicies } from '../fields/field-policies.ts';
import type { GraphqlLimits } from '../door/graphql.options.ts';
import { mergeLimitRule } from './merge-limit.rule.ts';
import { costOf } from './operation-cost.ts';
import { documentOf } from './operation-document.ts';
import { OperationMeters } from '../execution/operation-meters.ts';
import { NO_POLICIES, policiesOf } from '../fields/operation-policies.ts';
import { Operation } from '../execution/operation.ts';
import { withoutStack } from '../../../problems/without-stack.ts';
import type { PreparedOperation } from './prepared-operation.ts';
import { sizeLimitRule } from './size-limit.rule.ts';
import { subscriptionRootRule } from './subscription-root.rule.ts';

/** A client that errs a hundred times in one document learns enough from five of them. */
export const MOST_FAULTS = 5;

/** What the syntax tree of a document costs in memory; measured with 76 to 1276 characters: 77 to 131 bytes each. */
const BYTES_PER_CHARACTER = 100;
const BYTES_PER_DOCUMENT = 4096;
/** What `cost.listSize` is by default; plans show costs even where nobody limits them. */
const LIST_SIZE = 10;

/** A valid document, and those of its operations that somebody has asked for. */
interface Known {
  /** Its text; undefined when it is trusted. */
  readonly text: string | undefined;
  readonly document: DocumentNode;
  readonly operations: readonly OperationDefinitionNode[];
  readonly prepared: Map<OperationDefinitionNode, PreparedOperation>;
  /** What it costs in memory with what was prepared of it, estimated. */
  bytes: number;
}

type Faults = readonly GraphQLError[];

/**
 * Parses and validates each document once, and prepares each of its operations when it is first asked for: nobody can
 * make us work for operations that nobody runs.
 */
export class Documents {
  readonly meters: OperationMeters;
  readonly #schema: GraphQLSchema;
  readonly #limits: GraphqlLimits;
  readonly #policies: FieldPolicies | undefined;
  /** Rules that are checked one after the other: what one refuses is not worth the next, which is dearer. */
  readonly #passes: readonly (readonly ValidationRule[])[];
  readonly #cache: LRUCache<string, Known>;
  readonly #trusted = new Map<string, Known>();

  constructor(
    schema: GraphQLSchema,
    limits: GraphqlLimits,
    policies?: FieldPolicies,
    meters = new OperationMeters(),
  ) {
    this.meters = meters;
    this.#schema = schema;
    this.#limits = limits;
    this.#policies = policies;
    this.#cache = new LRUCache({ maxSize: limits.cacheBytes });
    const introspection = limits.production ? [NoSchemaIntrospectionCustomRule] : [];
    this.#passes = [
      // Fragments that nothing leads to would escape the sizes.
      [sizeLimitRule(limits), NoUnusedFragmentsRule, NoFragmentCyclesRule],
      [mergeLimitRule(limits.maxMerges), subscriptionRootRule],
      [...specifiedRules, ...introspection],
    ];
  }

  /** Finds the operation of a request, or what is wrong with its document. */
  find(text: string, operationName: string | undefined): PreparedOperation | Faults {
    const known = this.#cache.get(text) ?? this.#read(text);
    return isFaults(known) ? known : this.#choose(known, operationName);
  }

  /** Finds an operation of a trusted document; undefined when there is none with that hash. */
  findTrusted(hash: string, operationName: string | undefined): PreparedOperation | Faults | undefined {
    const known = this.#trusted.get(hash);
    return known === undefined ? undefined : this.#choose(known, operationName);
  }

  /** Whether a text has been read already. */
  knows(text: string): boolean {
    return this.#cache.get(text) !== undefined;
  }

  /** Whether there is a trusted document with a hash. */
  trusts(hash: string): boolean {
    return this.#trusted.has(hash);
  }

  /**
   * Takes in documents that were checked in with the clients: exempt from limits, compiled at once, kept for good.
   *
   * @throws {Error} naming the first one that does not fit the schema.
   */
  trust(texts: ReadonlyMap<string, string>): void {
    for (const [hash, text] of texts) {
      const document = keepPlaces(parse(text));
      const fault =
        validate(this.#schema, document, specifiedRules)[0] ??
        // Counts on a document without cycles.
        validate(this.#schema, document, [subscriptionRootRule])[0];
      if (fault !== undefined) {
        throw new Error(`graphql.trustedDocuments: ${hash}: ${fault.message} In: ${text.slice(0, 80)}`);
      }
      const known = knownOf(document, undefined);
      for (const node of known.operations) this.#prepared(known, node).operation.compileNow();
      this.#trusted.set(hash, known);
    }
  }

  // Only valid documents are kept: a flood of broken ones must not push out what is in use.
  #read(text: string): Known | Faults {
    const nesting = nestingFault(text, this.#limits);
    if (nesting !== undefined) return [nesting];
    let document: DocumentNode;
    try {
      document = keepPlaces(parse(text, { maxTokens: this.#limits.maxTokens }));
    } catch (error) {
      if (error instanceof GraphQLError) return [error];
      throw error;
    }
    const faults = withoutStack(() => this.#faultsOf(document));
    if (faults.length > 0) return faults;
    const known = knownOf(document, text);
    this.#cache.set(text, known, { size: known.bytes });
    return known;
  }

  #faultsOf(document: DocumentNode): Faults {
    const options = { maxErrors: MOST_FAULTS, hideSuggestions: this.#limits.production };
    for (const rules of this.#passes) {
      const faults = validate(this.#schema, document, rules, options);
      // The last one only says that there are more.
      if (faults.length > 0) return faults.slice(0, MOST_FAULTS);
    }
    return [];
  }

  #choose(known: Known, operationName: string | undefined): PreparedOperation | Faults {
    const { operations } = known;
    const node =
      operationName === undefined
        ? operations.length === 1
          ? operations[0]
          : undefined
        : operations.find(({ name }) => name?.value === operationName);
    return node === undefined ? [missing(operationName)] : this.#prepared(known, node);
  }

  #prepared(known: Known, node: OperationDefinitionNode): PreparedOperation {
    const before = known.prepared.get(node);
    if (before !== undefined) return before;
    const prepared = this.#prepare(documentOf(known.document, node), node, known.text === undefined);
    known.prepared.set(node, prepared);
    this.#grow(known, prepared.operation.compiledBytes);
    return prepared;
  }

  // It goes when it has become larger than the whole cache, and whoever runs it keeps it.
  #grow(known: Known, bytes: number): void {
    known.bytes += bytes;
    const { text } = known;
    if (text !== undefined && this.#cache.delete(text)) this.#cache.set(text, known, { size: known.bytes });
  }

  #prepare(document: DocumentNode, node: OperationDefinitionNode, trusted: boolean): PreparedOperation {
    const { cost, compileAfter, plan, maxValueDepth } = this.#limits;
    const schema = this.#schema;
    const policies =
      this.#policies === undefined ? NO_POLICIES : policiesOf(schema, document, node, this.#policies);
    return {
      ...policies,
      trusted,
      meter: this.meters.of(node.name?.value, node.operation, trusted),
      operation: new Operation(node, document, schema, { compileAfter, maxValueDepth, trusted }),
      cost: cost === undefined ? undefined : costOf(schema, document, node, cost.listSize),
      ...(plan === undefined
        ? {}
        : { costs: (given) => costsByField(schema, document, node, cost?.listSize ?? LIST_SIZE, given) }),
    };
  }
}

function knownOf(document: DocumentNode, text: string | undefined): Known {
  const operations = document.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
  const bytes = BYTES_PER_DOCUMENT + (text?.length ?? 0) * BYTES_PER_CHARACTER;
  return { text, document, operations, prepared: new Map(), bytes };
}

/** Whether it is a list of what is wrong. */
export function isFaults(found: unknown): found is Faults {
  return Array.isArray(found);
}

function missing(operationName: string | undefined): GraphQLError {
  return new GraphQLError(
    operationName === undefined
      ? 'The document has more than one operation; say which one with "operationName".'
      : `The document has no operation named "${operationName.slice(0, 64)}".`,
  );
}
