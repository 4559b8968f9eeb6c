import { buildSchema, lexicographicSortSchema, printSchema, type GraphQLSchema } from 'graphql';

/** A GraphQL schema in its definition language, by name. */
export function schemaText(schema: GraphQLSchema): string {
  return `${printSchema(lexicographicSortSchema(schema))}\n`;
}

/** Reads a schema that is kept into the same order. @throws {GraphQLError} for what is none. */
export function readSchemaText(text: string): string {
  return schemaText(buildSchema(text));
}
