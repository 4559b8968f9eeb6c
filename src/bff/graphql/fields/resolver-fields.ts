import type { Type } from '@nestjs/common';
import { RESOLVER_NAME_METADATA, RESOLVER_PROPERTY_METADATA, RESOLVER_TYPE_METADATA } from '@nestjs/graphql';

const ROOTS: readonly unknown[] = ['Query', 'Mutation', 'Subscription'];

/** A field that a method of a resolver class resolves. */
export interface ResolverField {
  /** The type that the field belongs to, by its name in the schema. */
  readonly type: string;
  readonly field: string;
  /** `FeedResolver.author`, for messages. */
  readonly origin: string;
  readonly method: object;
  /** The name of the method. */
  readonly name: string;
}

/** Lists the fields that a resolver class resolves, those of its base classes included. */
export function resolverFields(resolver: Type): readonly ResolverField[] {
  const prototype = resolver.prototype as Record<string, unknown>;
  return methodsOf(prototype).flatMap((name) => {
    const method = prototype[name] as object;
    const isProperty = Reflect.getMetadata(RESOLVER_PROPERTY_METADATA, method) === true;
    const type: unknown =
      Reflect.getMetadata(RESOLVER_TYPE_METADATA, method) ??
      Reflect.getMetadata(RESOLVER_TYPE_METADATA, resolver);
    if (typeof type !== 'string' || !(isProperty || ROOTS.includes(type))) return [];
    const field = (Reflect.getMetadata(RESOLVER_NAME_METADATA, method) as string | undefined) ?? name;
    return [{ type, field, origin: `${resolver.name}.${name}`, method, name }];
  });
}

function methodsOf(prototype: object): readonly string[] {
  const names = new Set<string>();
  for (let at: object | null = prototype; at !== null && at !== Object.prototype;) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at)))
      if (typeof value === 'function' && name !== 'constructor') names.add(name);
    at = Object.getPrototypeOf(at) as object | null;
  }
  return [...names];
}
