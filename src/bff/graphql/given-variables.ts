import { getVariableValues, GraphQLError } from 'graphql';
import type { GraphQLSchema, OperationDefinitionNode, VariableDefinitionNode } from 'graphql';
import { exactVariables } from './exact-integers.ts';

type Values = Readonly<Record<string, unknown>>;

/** Most mistakes in variables that are looked for in one request. */
export const MOST_MISTAKES = 5;
const NONE: Values = Object.freeze({});

/** Reads what clients send as the variables of one operation, for both engines alike. */
export class GivenVariables {
  readonly #schema: GraphQLSchema;
  readonly #definitions: readonly VariableDefinitionNode[];
  readonly #maxDepth: number;

  /** @param maxDepth how deep lists and objects may nest in one variable. */
  constructor(schema: GraphQLSchema, operation: OperationDefinitionNode, maxDepth: number) {
    this.#schema = schema;
    this.#definitions = operation.variableDefinitions ?? [];
    this.#maxDepth = maxDepth;
  }

  /** The variables that were sent, ready to be read by an engine; an error when they must not be. */
  checked(sent: Values | null | undefined): Values | readonly GraphQLError[] {
    // What is not declared is not looked at by anybody.
    if (this.#definitions.length === 0 || sent === null || sent === undefined) return NONE;
    for (const { variable } of this.#definitions) {
      const name = variable.name.value;
      if (Object.hasOwn(sent, name) && isDeeper(sent[name], this.#maxDepth)) {
        const message = `Variable "$${name}" is nested more than ${this.#maxDepth} levels deep.`;
        return [new GraphQLError(message, { nodes: variable })];
      }
    }
    return exactVariables(this.#schema, this.#definitions, sent);
  }

  /** The values that resolvers see, as graphql-js makes them; an error when they do not fit their types. */
  read(checked: Values): Values | readonly GraphQLError[] {
    if (this.#definitions.length === 0) return NONE;
    const { coerced, errors } = getVariableValues(this.#schema, this.#definitions, checked, {
      maxErrors: MOST_MISTAKES,
    });
    return coerced ?? errors ?? [];
  }
}

/** Whether lists and objects in a value of JSON nest more than so many levels. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  for (const key in value)
    if (isDeeper((value as Readonly<Record<string, unknown>>)[key], levels - 1)) return true;
  return false;
}
