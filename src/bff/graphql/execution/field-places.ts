import { isObjectType, type GraphQLField, type GraphQLFieldResolver, type GraphQLSchema } from 'graphql';
import { AsyncLocalStorage } from 'node:async_hooks';
import type { OperationContext, ResponsePath } from './operation-context.ts';

/** What a resolver is told of its field, as far as it is asked for here. */
interface FieldInfo {
  readonly path: ResponsePath;
  readonly fieldName: string;
  readonly parentType: { readonly name: string };
}

const places = new AsyncLocalStorage<FieldInfo>();

/**
 * Lets the resolvers of a schema know their place in the answer, for those operations that have a plan or a span; the others
 * pay for one comparison. Call it after everything else that replaces resolvers.
 */
export function markPlaces(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields()))
      mark(field as GraphQLField<unknown, OperationContext>);
  }
}

/** The place in the answer that what runs now is for; undefined outside of a resolver. */
export function currentPlace(): ResponsePath | undefined {
  return places.getStore()?.path;
}

/** The field whose resolver runs now; one object for each time that it runs. */
export function currentField(): FieldInfo | undefined {
  return places.getStore();
}

function mark(field: GraphQLField<unknown, OperationContext>): void {
  const { resolve, subscribe } = field;
  if (resolve !== undefined) field.resolve = placed(resolve);
  if (subscribe !== undefined) field.subscribe = placed(subscribe);
}

function placed(
  resolve: GraphQLFieldResolver<unknown, OperationContext>,
): GraphQLFieldResolver<unknown, OperationContext> {
  return (source, args, context, info) =>
    context.plan === undefined && !context.isTraced
      ? resolve(source, args, context, info)
      : places.run(info, resolve, source, args, context, info);
}
