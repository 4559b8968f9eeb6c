import { Logger } from '@nestjs/common';
import {
  defaultTypeResolver,
  getNamedType,
  isAbstractType,
  isEnumType,
  isObjectType,
  isSpecifiedScalarType,
  type GraphQLAbstractType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';
import { isThenable, plainFieldResolver } from './plain-field.resolver.ts';

const logger = new Logger('GraphQL');

/**
 * Changes a schema so that graphql-js and graphql-jit treat what resolvers return alike. Call it after everything else
 * that replaces resolvers.
 *
 * - Properties that hold objects, or values of the schema's own scalars, are read by a resolver: without one graphql-jit
 *   takes a promise for the object itself. Other scalars refuse a promise by themselves.
 * - Types are found out at once and without an exception: graphql-jit knows neither promises nor errors there. Who finds
 *   no type makes an error at that place, and the log says why.
 */
export function alignEngines(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__')) continue;
    if (isAbstractType(type)) tameResolveType(type);
    else if (isObjectType(type)) {
      tameIsTypeOf(type);
      readPlainly(type);
    }
  }
}

function readPlainly(type: GraphQLObjectType): void {
  for (const field of Object.values(type.getFields())) {
    const named = getNamedType(field.type);
    if (!isSpecifiedScalarType(named) && !isEnumType(named)) field.resolve ??= plainFieldResolver;
  }
}

function tameResolveType(type: GraphQLAbstractType): void {
  const resolveType = type.resolveType ?? defaultTypeResolver;
  type.resolveType = (value, context, info, abstract) =>
    atOnce(`resolveType of ${type.name}`, () => resolveType(value, context, info, abstract));
}

function tameIsTypeOf(type: GraphQLObjectType): void {
  const { isTypeOf } = type;
  // Without one, every object is of its type; that is free, and stays so.
  if (!isTypeOf) return;
  type.isTypeOf = (value, context, info) =>
    atOnce(`isTypeOf of ${type.name}`, () => isTypeOf(value, context, info)) === true;
}

function atOnce<Result>(what: string, run: () => Result | PromiseLike<Result>): Result | undefined {
  try {
    const result = run();
    if (!isThenable(result)) return result;
    result.then(undefined, () => {});
    logger.error(`${what} returns a promise; it has to answer at once`);
  } catch (error) {
    logger.error(`${what} failed`, error);
  }
  return undefined;
}
