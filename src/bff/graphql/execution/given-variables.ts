import { getVariableValues, GraphQLError, isNonNullType, typeFromAST, valueFromAST } from 'graphql';
import type { GraphQLInputType, GraphQLSchema } from 'graphql';
import type { NamedTypeNode, OperationDefinitionNode, VariableDefinitionNode } from 'graphql';
import { exactVariables, MOST_MISTAKES } from './exact-integers.ts';
import { NOT_PLAIN, plainReader, type PlainReader } from './plain-values.ts';

type Values = Readonly<Record<string, unknown>>;

const NONE: Values = Object.freeze({});

/** Reads what clients send as the variables of one operation, for both engines alike. */
export class GivenVariables {
  readonly #schema: GraphQLSchema;
  readonly #definitions: readonly VariableDefinitionNode[];
  readonly #maxDepth: number;
  #readers: readonly VariableReader[] | undefined = undefined;

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
    const plain = this.#plain(checked);
    if (plain !== undefined) return plain;
    const { coerced, errors } = getVariableValues(this.#schema, this.#definitions, checked, {
      maxErrors: MOST_MISTAKES,
    });
    return coerced ?? errors ?? [];
  }

  /** The values, when all of them are plainly right. */
  #plain(checked: Values): Values | undefined {
    const readers = (this.#readers ??= this.#definitions.map((node) => readerOf(this.#schema, node)));
    const values: Record<string, unknown> = {};
    for (const { name, read, unset } of readers) {
      const value = Object.hasOwn(checked, name) ? read(checked[name]) : unset;
      if (value === NOT_PLAIN) return undefined;
      if (value !== undefined) values[name] = value;
    }
    return values;
  }
}

interface VariableReader {
  readonly name: string;
  readonly read: PlainReader;
  /** What it is when it was not sent; undefined when it is then not there. */
  readonly unset: unknown;
}

function readerOf(schema: GraphQLSchema, node: VariableDefinitionNode): VariableReader {
  const { variable, type: typeNode, defaultValue } = node;
  const name = variable.name.value;
  const type = typeFromAST(schema, typeNode as NamedTypeNode) as GraphQLInputType | undefined;
  if (type === undefined) return { name, read: () => NOT_PLAIN, unset: NOT_PLAIN };
  const missing = isNonNullType(type) ? NOT_PLAIN : undefined;
  const unset = defaultValue === undefined ? missing : valueFromAST(defaultValue, type);
  // An object would be the same one in each run, and a resolver might change it.
  const isShared = typeof unset === 'object' && unset !== null;
  return { name, read: plainReader(type), unset: isShared ? NOT_PLAIN : unset };
}

/** Whether lists and objects in a value of JSON nest more than so many levels. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  for (const key in value)
    if (isDeeper((value as Readonly<Record<string, unknown>>)[key], levels - 1)) return true;
  return false;
}
