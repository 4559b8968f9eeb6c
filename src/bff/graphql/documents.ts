import {
  GraphQLError,
  Kind,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import type { DocumentNode, GraphQLSchema, OperationDefinitionNode, ValidationRule } from 'graphql';
import { costsByField } from './cost-by-field.ts';
import { DocumentCache } from './document-cache.ts';
import type { FieldPolicies } from './field-policies.ts';
import type { GraphqlLimits } from './graphql.options.ts';
import { costOf } from './operation-cost.ts';
import { OperationMeters } from './operation-meters.ts';
import { NO_POLICIES, policiesOf } from './operation-policies.ts';
import { Operation } from './operation.ts';
import type { PreparedOperation } from './prepared-operation.ts';
import { sizeLimitRule } from './size-limit.rule.ts';

/** A client that errs a hundred times in one document learns enough from ten of them. */
const MAX_ERRORS = 10;

/** What the syntax tree of a document costs in memory; measured with 76 to 1276 characters: 77 to 131 bytes each. */
const BYTES_PER_CHARACTER = 100;
const BYTES_PER_DOCUMENT = 4096;
/** What `cost.listSize` is by default; plans show costs even where nobody limits them. */
const LIST_SIZE = 10;

/** The operations of one document. */
interface Prepared {
  readonly byName: ReadonlyMap<string, PreparedOperation>;
  /** The operation of a document that has no other. */
  readonly only: PreparedOperation | undefined;
  /** What its operations cost in memory once they are compiled, estimated. */
  readonly bytes: number;
}

type Faults = readonly GraphQLError[];

/**
 * Parses and validates each document once. What is looked up afterwards is the text and the name of the
 * operation together: a document with several operations has one entry for each.
 */
export class Documents {
  readonly meters: OperationMeters;
  readonly #schema: GraphQLSchema;
  readonly #limits: GraphqlLimits;
  readonly #policies: FieldPolicies | undefined;
  readonly #rules: readonly ValidationRule[];
  readonly #cache: DocumentCache<Prepared>;
  readonly #trusted = new Map<string, Prepared>();

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
    this.#cache = new DocumentCache(limits.cacheBytes);
    const introspection = limits.production ? [NoSchemaIntrospectionCustomRule] : [];
    this.#rules = [...specifiedRules, ...introspection];
  }

  /** Finds the operation of a request, or what is wrong with its document. */
  find(text: string, operationName: string | undefined): PreparedOperation | Faults {
    const prepared = this.#cache.get(text) ?? this.#prepare(text);
    return isFaults(prepared) ? prepared : choose(prepared, operationName);
  }

  /** Finds an operation of a trusted document; undefined when there is none with that hash. */
  findTrusted(hash: string, operationName: string | undefined): PreparedOperation | Faults | undefined {
    const prepared = this.#trusted.get(hash);
    return prepared === undefined ? undefined : choose(prepared, operationName);
  }

  /** Whether a text has been prepared already. */
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
      const document = parse(text);
      const [fault] = validate(this.#schema, document, specifiedRules);
      if (fault !== undefined) {
        throw new Error(`graphql.trustedDocuments: ${hash}: ${fault.message} In: ${text.slice(0, 80)}`);
      }
      const prepared = this.#operationsOf(document, true);
      for (const { operation } of operationsIn(prepared)) operation.compileNow();
      this.#trusted.set(hash, prepared);
    }
  }

  // Only valid documents are kept: a flood of broken ones must not push out what is in use.
  #prepare(text: string): Prepared | Faults {
    let document: DocumentNode;
    try {
      document = parse(text, { maxTokens: this.#limits.maxTokens });
    } catch (error) {
      if (error instanceof GraphQLError) return [error];
      throw error;
    }
    const faults = this.#faultsOf(document);
    if (faults.length > 0) return faults;
    const prepared = this.#operationsOf(document, false);
    this.#cache.set(text, prepared, prepared.bytes + BYTES_PER_DOCUMENT + text.length * BYTES_PER_CHARACTER);
    return prepared;
  }

  #faultsOf(document: DocumentNode): Faults {
    const options = { maxErrors: MAX_ERRORS, hideSuggestions: this.#limits.production };
    // Size comes first: a document that is refused for it is not worth the dearer rules.
    const tooLarge = validate(this.#schema, document, [sizeLimitRule(this.#limits)], options);
    return tooLarge.length > 0 ? tooLarge : validate(this.#schema, document, this.#rules, options);
  }

  #operationsOf(document: DocumentNode, trusted: boolean): Prepared {
    const operations = document.definitions
      .filter((node) => node.kind === Kind.OPERATION_DEFINITION)
      .map((node) => [node, this.#operation(node, document, trusted)] as const);
    const named = operations.flatMap(([node, operation]) =>
      node.name === undefined ? [] : [[node.name.value, operation] as const],
    );
    return {
      byName: new Map(named),
      only: operations.length === 1 ? operations[0]?.[1] : undefined,
      bytes: operations.reduce((bytes, [, { operation }]) => bytes + operation.compiledBytes, 0),
    };
  }

  #operation(node: OperationDefinitionNode, document: DocumentNode, trusted: boolean): PreparedOperation {
    const { cost, compileAfter, plan } = this.#limits;
    const schema = this.#schema;
    const policies =
      this.#policies === undefined ? NO_POLICIES : policiesOf(this.#schema, document, node, this.#policies);
    return {
      ...policies,
      trusted,
      meter: this.meters.of(node.name?.value, node.operation, trusted),
      operation: new Operation(node, document, this.#schema, compileAfter),
      cost: cost === undefined ? undefined : costOf(schema, document, node, cost.listSize),
      ...(plan === undefined
        ? {}
        : { costs: (given) => costsByField(schema, document, node, cost?.listSize ?? LIST_SIZE, given) }),
    };
  }
}

function operationsIn({ byName, only }: Prepared): Iterable<PreparedOperation> {
  return only === undefined ? byName.values() : [only];
}

function choose({ only, byName }: Prepared, operationName: string | undefined): PreparedOperation | Faults {
  const operation = operationName === undefined ? only : byName.get(operationName);
  return operation ?? [missing(operationName)];
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
