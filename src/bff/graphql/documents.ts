import {
  GraphQLError,
  Kind,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import type { DocumentNode, GraphQLSchema, ValidationRule } from 'graphql';
import { DocumentCache } from './document-cache.ts';
import type { GraphqlLimits } from './graphql.options.ts';
import { Operation } from './operation.ts';
import { sizeLimitRule } from './size-limit.rule.ts';

/** A client that errs a hundred times in one document learns enough from ten of them. */
const MAX_ERRORS = 10;

/** What the syntax tree of a document costs in memory; measured with 76 to 1276 characters: 77 to 131 bytes each. */
const BYTES_PER_CHARACTER = 100;
const BYTES_PER_DOCUMENT = 4096;

/** The operations of one document. */
interface Prepared {
  readonly byName: ReadonlyMap<string, Operation>;
  /** The operation of a document that has no other. */
  readonly only: Operation | undefined;
  /** What its operations cost in memory once they are compiled, estimated. */
  readonly bytes: number;
}

/**
 * Parses and validates each document once. What is looked up afterwards is the text and the name of the
 * operation together: a document with several operations has one entry for each.
 */
export class Documents {
  readonly #schema: GraphQLSchema;
  readonly #limits: GraphqlLimits;
  readonly #rules: readonly ValidationRule[];
  readonly #cache: DocumentCache<Prepared>;

  constructor(schema: GraphQLSchema, limits: GraphqlLimits) {
    this.#schema = schema;
    this.#limits = limits;
    this.#cache = new DocumentCache(limits.cacheBytes);
    const introspection = limits.production ? [NoSchemaIntrospectionCustomRule] : [];
    this.#rules = [...specifiedRules, ...introspection];
  }

  /** Finds the operation of a request, or what is wrong with its document. */
  find(text: string, operationName: string | undefined): Operation | readonly GraphQLError[] {
    const prepared = this.#cache.get(text) ?? this.#prepare(text);
    if (Array.isArray(prepared)) return prepared as readonly GraphQLError[];
    const { only, byName } = prepared as Prepared;
    const operation = operationName === undefined ? only : byName.get(operationName);
    return operation ?? [missing(operationName)];
  }

  // Only valid documents are kept: a flood of broken ones must not push out what is in use.
  #prepare(text: string): Prepared | readonly GraphQLError[] {
    let document: DocumentNode;
    try {
      document = parse(text, { maxTokens: this.#limits.maxTokens });
    } catch (error) {
      if (error instanceof GraphQLError) return [error];
      throw error;
    }
    const faults = this.#faultsOf(document);
    if (faults.length > 0) return faults;
    const prepared = this.#operationsOf(document);
    this.#cache.set(text, prepared, prepared.bytes + BYTES_PER_DOCUMENT + text.length * BYTES_PER_CHARACTER);
    return prepared;
  }

  #faultsOf(document: DocumentNode): readonly GraphQLError[] {
    const options = { maxErrors: MAX_ERRORS, hideSuggestions: this.#limits.production };
    // Size comes first: a document that is refused for it is not worth the dearer rules.
    const tooLarge = validate(this.#schema, document, [sizeLimitRule(this.#limits)], options);
    return tooLarge.length > 0 ? tooLarge : validate(this.#schema, document, this.#rules, options);
  }

  #operationsOf(document: DocumentNode): Prepared {
    const operations = document.definitions
      .filter((node) => node.kind === Kind.OPERATION_DEFINITION)
      .map((node) => [node, new Operation(node, document, this.#schema, this.#limits.compileAfter)] as const);
    const named = operations.flatMap(([node, operation]) =>
      node.name === undefined ? [] : [[node.name.value, operation] as const],
    );
    return {
      byName: new Map(named),
      only: operations.length === 1 ? operations[0]?.[1] : undefined,
      bytes: operations.reduce((bytes, [, operation]) => bytes + operation.compiledBytes, 0),
    };
  }
}

function missing(operationName: string | undefined): GraphQLError {
  return new GraphQLError(
    operationName === undefined
      ? 'The document has more than one operation; say which one with "operationName".'
      : `The document has no operation named "${operationName.slice(0, 64)}".`,
  );
}
