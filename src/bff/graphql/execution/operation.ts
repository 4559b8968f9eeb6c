import { createSourceEventStream, execute, OperationTypeNode } from 'graphql';
import type { DocumentNode, ExecutionArgs, ExecutionResult, GraphQLError } from 'graphql';
import type { GraphQLSchema, OperationDefinitionNode } from 'graphql';
import { compileQuery, isCompiledQuery, type CompiledQuery } from 'graphql-jit';
import { MAX_PIECES, MAX_TRUSTED_PIECES, piecesOf } from '../documents/compile-cost.ts';
import { hasSeparateConditions } from '../documents/condition-shape.ts';
import { ErrorCauses } from './error-causes.ts';
import { ErrorLocations } from './error-locations.ts';
import { MOST_MISTAKES } from './exact-integers.ts';
import { GivenVariables } from './given-variables.ts';
import { isMissing, wantedVariables, type WantedVariable } from './wanted-variables.ts';
import { mendJitRuntime } from './jit-runtime.ts';
import type { OperationContext } from './operation-context.ts';
import { hasPlainArguments } from '../documents/plain-arguments.ts';
import { plainFieldResolver } from './plain-field.resolver.ts';
import { compilerInput } from './read-variables.ts';
import { withToldErrors } from './told-errors.ts';

mendJitRuntime();

type Values = Readonly<Record<string, unknown>>;
type Variables = Values | null | undefined;
type Outcome = ExecutionResult | Promise<ExecutionResult>;

/** Measured with operations of 8 to 160 pieces: 1360 to 1620 bytes each. */
const BYTES_PER_PIECE = 1600;

/** What graphql-jit would write into source code as the prototype of an object. */
const UNSPEAKABLE = '__proto__';

/** How an operation is run. */
export interface OperationOptions {
  /** How often it is interpreted before it is compiled. */
  readonly compileAfter: number;
  /** How deep a variable may nest. */
  readonly maxValueDepth: number;
  /** Whether its document was checked in with the clients. */
  readonly trusted: boolean;
}

/** Where an operation stands on its way to a compiled function. */
export type OperationState = 'interpreted' | 'compiled' | 'interpreted for good';

/**
 * One operation of one validated document, which has nothing else in it. graphql-js interprets its first runs, so that nobody can buy
 * compilation with documents that are sent once; after that graphql-jit runs it. What graphql-jit cannot
 * compile, or only at too high a cost, stays with graphql-js.
 *
 * Answers are written with `JSON.stringify`: the serializer of graphql-jit leaves `extensions` out and turns
 * list indexes of error paths into strings.
 */
export class Operation {
  readonly type: OperationTypeNode;
  /** As its document calls it. */
  readonly name: string | undefined;
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
  #causes: ErrorCauses | undefined = undefined;
  readonly #given: GivenVariables;
  readonly #wanted: readonly WantedVariable[];
  readonly #onNotPlain = (): void => {
    this.state = 'interpreted for good';
    this.#compiled = undefined;
  };

  constructor(
    node: OperationDefinitionNode,
    document: DocumentNode,
    schema: GraphQLSchema,
    { compileAfter, maxValueDepth, trusted }: OperationOptions,
  ) {
    this.type = node.operation;
    this.name = node.name?.value;
    this.#node = node;
    this.#document = document;
    this.#schema = schema;
    this.#compileAfter = compileAfter;
    const pieces = piecesOf(schema, document, node, trusted ? MAX_TRUSTED_PIECES : MAX_PIECES);
    // The order matters: what has few pieces can be walked.
    if (
      pieces === undefined ||
      document.loc?.source.body.includes(UNSPEAKABLE) === true ||
      !hasPlainArguments(schema, document) ||
      !hasSeparateConditions(document)
    )
      this.state = 'interpreted for good';
    this.#given = new GivenVariables(schema, node, maxValueDepth);
    this.#wanted = wantedVariables(schema, document, node);
    this.compiledBytes = (pieces ?? 0) * BYTES_PER_PIECE;
  }

  /** Runs the operation. The outcome has no `data` when the variables are not valid. */
  run(context: OperationContext, variables: Variables): Outcome {
    const checked = this.#given.checked(variables);
    if (isRefused(checked)) return { errors: checked };
    if (
      this.#compiled === undefined &&
      this.state === 'interpreted' &&
      (this.#runs += 1) > this.#compileAfter
    ) {
      this.#compile();
    }
    if (this.#compiled === undefined) return this.#interpret(context, checked);
    const values = this.#given.read(checked);
    if (isRefused(values)) return { errors: values };
    if (this.#wanted.some((one) => isMissing(one, values))) return this.#interpret(context, checked);
    const outcome = this.#compiled.query(undefined, context, values);
    if (outcome instanceof Promise) return outcome.then((late) => this.#located(late, values));
    return this.#located(outcome, values);
  }

  /** Compiles the operation before its first run, when its document is trusted. */
  compileNow(): void {
    if (this.state === 'interpreted' && this.type !== 'subscription') this.#compile();
  }

  /** Opens the stream of a subscription; errors when its resolver refuses, or the variables are not valid. */
  async subscribe(
    context: OperationContext,
    variables: Variables,
  ): Promise<AsyncIterable<unknown> | ExecutionResult> {
    const checked = this.#given.checked(variables);
    if (isRefused(checked)) return { errors: checked };
    return createSourceEventStream(this.#arguments(context, checked));
  }

  /** Runs the operation of a subscription for one event. */
  event(event: unknown, context: OperationContext, variables: Variables): Outcome {
    const checked = this.#given.checked(variables);
    if (isRefused(checked)) return { errors: checked };
    return this.#told(execute({ ...this.#arguments(context, checked), rootValue: event }));
  }

  #interpret(context: OperationContext, variables: Values): Outcome {
    context.onNotPlain = this.#onNotPlain;
    return this.#told(execute(this.#arguments(context, variables)));
  }

  #told(outcome: Outcome): Outcome {
    if (outcome instanceof Promise) return outcome.then((late) => this.#withToldErrors(late));
    return this.#withToldErrors(outcome);
  }

  #withToldErrors(outcome: ExecutionResult): ExecutionResult {
    if (outcome.errors === undefined || outcome.data === undefined) return outcome;
    const causes = (this.#causes ??= new ErrorCauses(this.#schema, this.#document, this.#node));
    return withToldErrors(outcome, (error) => causes.goesUp(error));
  }

  #arguments(context: OperationContext, variables: Values): ExecutionArgs {
    return {
      schema: this.#schema,
      document: this.#document,
      operationName: this.#node.name?.value,
      variableValues: variables,
      contextValue: context,
      fieldResolver: plainFieldResolver,
      options: { maxCoercionErrors: MOST_MISTAKES },
    };
  }

  #located(outcome: ExecutionResult, variables: Values): ExecutionResult {
    if (outcome.errors === undefined) return outcome;
    const locations = (this.#locations ??= new ErrorLocations(this.#document, this.#node));
    // Only of what is told: thousands of elements may have failed in the same way.
    const told = this.#withToldErrors(outcome);
    return { ...told, errors: (told.errors ?? []).map((error) => locations.locate(error, variables)) };
  }

  #compile(): void {
    this.state = 'interpreted for good';
    const options = { disablingCapturingStackErrors: true };
    const { schema, document } = compilerInput(this.#schema, this.#document);
    const compiled = compileQuery(schema, document, this.#node.name?.value, options);
    if (!isCompiledQuery(compiled)) return;
    this.#compiled = compiled;
    this.state = 'compiled';
  }
}

function isRefused(variables: Values | readonly GraphQLError[]): variables is readonly GraphQLError[] {
  return Array.isArray(variables);
}
