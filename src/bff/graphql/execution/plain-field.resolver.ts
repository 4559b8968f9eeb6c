import type { GraphQLFieldResolver } from 'graphql';
import type { OperationContext } from './operation-context.ts';

/**
 * Resolves a field that has no resolver of its own: reads the property. Refuses promises and functions, which
 * compiled operations do not understand, so that an answer does not change once its operation is compiled.
 *
 * @throws {Error} saying which property it is and what to do.
 */
export const plainFieldResolver: GraphQLFieldResolver<unknown, OperationContext> = (
  source,
  _args,
  context,
  info,
) => {
  if (typeof source !== 'object' || source === null) return undefined;
  const value: unknown = (source as Record<string, unknown>)[info.fieldName];
  if (typeof value !== 'function' && !isThenable(value)) return value;
  context.onNotPlain?.();
  throw new Error(
    `${info.parentType.name}.${info.fieldName} is a ${typeof value === 'function' ? 'function' : 'promise'}: ` +
      'resolvers return plain data; give the field a @ResolveField of its own',
  );
};

/** Whether something is a promise, of whatever library. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}
