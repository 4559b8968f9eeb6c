import { GraphQLScalarType, Kind } from 'graphql';
import type { DocumentNode, GraphQLSchema, TypeNode, VariableDefinitionNode } from 'graphql';

/** The type of a variable that was read already: whatever it is, it is kept as it is. */
const READ = new GraphQLScalarType({ name: '__Read' });

/** What graphql-jit compiles an operation from. */
export interface CompilerInput {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
}

/**
 * The same schema and document for graphql-jit, whose compiled operations then take variables that graphql-js has read.
 * Its own reading takes `[]` for an input object, knows no `@oneOf`, and writes code without end for an input type that
 * contains itself. Nodes lose their locations: values that turn out to be as they should then cost none.
 */
export function compilerInput(schema: GraphQLSchema, document: DocumentNode): CompilerInput {
  const copy = JSON.stringify(document, (key, value: unknown) => (key === 'loc' ? undefined : value));
  const { definitions, ...rest } = JSON.parse(copy) as DocumentNode;
  const getType = (name: string): unknown => (name === READ.name ? READ : schema.getType(name));
  return {
    schema: Object.create(schema, { getType: { value: getType } }) as GraphQLSchema,
    document: {
      ...rest,
      definitions: definitions.map((node) =>
        node.kind === Kind.OPERATION_DEFINITION
          ? { ...node, variableDefinitions: (node.variableDefinitions ?? []).map(withoutType) }
          : node,
      ),
    },
  };
}

function withoutType(node: VariableDefinitionNode): VariableDefinitionNode {
  // The compiler looks for the type of conditions.
  if (isBoolean(node.type)) return node;
  const { defaultValue: _read, ...rest } = node;
  return { ...rest, type: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: READ.name } } };
}

function isBoolean(type: TypeNode): boolean {
  const named = type.kind === Kind.NON_NULL_TYPE ? type.type : type;
  return named.kind === Kind.NAMED_TYPE && named.name.value === 'Boolean';
}
