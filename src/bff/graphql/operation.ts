import { createSourceEventStream, execute, OperationTypeNode } from 'graphql';
import type {
  DocumentNode,
  ExecutionArgs,
  ExecutionResult,
  GraphQLSchema,
  OperationDefinitionNode,
} from 'graphql';
import { compileQuery, isCompiledQuery, type CompiledQuery } from 'graphql-jit';
import { piecesOf } from './compile-cost.ts';
import { hasSeparateConditions } from './condition-shape.ts';
import { ErrorLocations } from './error-locations.ts';
import { isMissing, wantedVariables, type WantedVariable } from './wanted-variables.ts';
import { mendJitRuntime } from './jit-runtime.ts';
import type { OperationContext } from './operation-context.ts';
import { hasPlainArguments } from './plain-arguments.ts';
import { plainFieldResolver } from './plain-field.resolver.ts';

mendJitRuntime();

type Variables = Readonly<Record<string, unknown>> | null | undefined;
type Outcome = ExecutionResult | Promise<ExecutionResult>;

/** Measured with operations of 8 to 160 pieces: 1360 to 1620 bytes each. */
const BYTES_PER_PIECE = 1600;

/** Where an operation stands on its way to a compiled function. */
export type OperationState = 'interpreted' | 'compiled' | 'interpreted for good';

/**
 * One operation of one validated document. graphql-js interprets its first runs, so that nobody can buy
 * compilation with documents that are sent once; after that graphql-jit runs it. What graphql-jit cannot
 * compile, or only at too high a cost, stays with graphql-js.
 *
 * Answers are written with `JSON.stringify`: the serializer of graphql-jit leaves `extensions` out and turns
 * list indexes of error paths into strings.
 */
export class Operation {
  readonly type: OperationTypeNode;
  /** What the compiled function will cost in memory, estimated. */
  readonly compiledBytes: number;
  state: OperationState = 'interpreted';
  readonly #schema: GraphQLSchema;
  readonly #document: DocumentNode;
  readonly #node: OperationDefinitionNode;
  readonly #compileAfter: number;
  #runs = 0;
  #compiled: CompiledQuery | undefined = undefined;
  #locations: ErrorLocations | undefined = undefined;
  readonly #wanted: readonly WantedVariable[];
  readonly #onNotPlain = (): void => {
    this.state = 'interpreted for good';
    this.#compiled = undefined;
  };

  constructor(
    node: OperationDefinitionNode,
    document: DocumentNode,
    schema: GraphQLSchema,
    compileAfter: number,
  ) {
    this.type = node.operation;
    this.#node = node;
    this.#document = document;
    this.#schema = schema;
    this.#compileAfter = compileAfter;
    const pieces = piecesOf(schema, document, node);
    // The order matters: what has few pieces can be walked.
    if (pieces === undefined || !hasPlainArguments(schema, document) || !hasSeparateConditions(document))
      this.state = 'interpreted for good';
    this.#wanted = wantedVariables(document, node);
    this.compiledBytes = (pieces ?? 0) * BYTES_PER_PIECE;
  }

  /** Runs the operation. The outcome has no `data` when the variables are not valid. */
  run(context: OperationContext, variables: Variables): Outcome {
    if (
      this.#compiled === undefined &&
      this.state === 'interpreted' &&
      (this.#runs += 1) > this.#compileAfter
    ) {
      this.#compile();
    }
    if (this.#compiled === undefined || this.#wanted.some((one) => isMissing(one, variables)))
      return this.#interpret(context, variables);
    const outcome = this.#compiled.query(undefined, context, variables);
    if (outcome instanceof Promise) return outcome.then((late) => this.#located(late, variables));
    // Refused variables end before any resolver runs; graphql-js then words the errors, as it did before.
    return 'data' in outcome ? this.#located(outcome, variables) : this.#interpret(context, variables);
  }

  /** Compiles the operation before its first run, when its document is trusted. */
  compileNow(): void {
    if (this.state === 'interpreted' && this.type !== 'subscription') this.#compile();
  }

  /** Opens the stream of a subscription; errors when its resolver refuses, or the variables are not valid. */
  subscribe(
    context: OperationContext,
    variables: Variables,
  ): Promise<AsyncIterable<unknown> | ExecutionResult> {
    return createSourceEventStream(this.#arguments(context, variables));
  }

  /** Runs the operation of a subscription for one event. */
  event(event: unknown, context: OperationContext, variables: Variables): Outcome {
    return execute({ ...this.#arguments(context, variables), rootValue: event });
  }

  #interpret(context: OperationContext, variables: Variables): Outcome {
    context.onNotPlain = this.#onNotPlain;
    return execute(this.#arguments(context, variables));
  }

  #arguments(context: OperationContext, variables: Variables): ExecutionArgs {
    return {
      schema: this.#schema,
      document: this.#document,
      operationName: this.#node.name?.value,
      variableValues: variables,
      contextValue: context,
      fieldResolver: plainFieldResolver,
    };
  }

  #located(outcome: ExecutionResult, variables: Variables): ExecutionResult {
    if (outcome.errors === undefined) return outcome;
    this.#locations ??= new ErrorLocations(this.#document, this.#node);
    const errors = outcome.errors.map((error) => this.#locations?.locate(error, variables ?? {}) ?? error);
    return { ...outcome, errors };
  }

  #compile(): void {
    this.state = 'interpreted for good';
    const options = { disablingCapturingStackErrors: true };
    const document = withoutLocations(this.#document);
    const compiled = compileQuery(this.#schema, document, this.#node.name?.value, options);
    if (!isCompiledQuery(compiled)) return;
    this.#compiled = compiled;
    this.state = 'compiled';
  }
}

/** What is compiled from it makes no locations for values that turn out to be as they should. */
function withoutLocations(document: DocumentNode): DocumentNode {
  const copy = JSON.stringify(document, (key, value: unknown) => (key === 'loc' ? undefined : value));
  return JSON.parse(copy) as DocumentNode;
}
