/** What `@nestjs/graphql` keeps on the global object, so that several copies of it share what decorators say. */
interface GraphqlGlobals {
  readonly GqlLazyMetadataStorageHost?: { store(add: () => void): void };
  readonly GqlTypeMetadataStorage?: {
    addExtensionsPropertyMetadata(metadata: {
      readonly target: unknown;
      readonly fieldName: string | symbol;
      readonly value: Readonly<Record<string, unknown>>;
    }): void;
  };
}

/**
 * Adds to the `extensions` of a field of a GraphQL type, as `Extensions` of `@nestjs/graphql` does, without loading that for
 * gateways that have no GraphQL: a class that declares a field has loaded it before. Does nothing where nobody has.
 *
 * @param target the prototype of the class.
 */
export function extendField(
  target: object,
  key: string | symbol,
  value: Readonly<Record<string, unknown>>,
): void {
  const { GqlLazyMetadataStorageHost: lazy, GqlTypeMetadataStorage: types } = globalThis as GraphqlGlobals;
  lazy?.store(() =>
    types?.addExtensionsPropertyMetadata({ target: target.constructor, fieldName: key, value }),
  );
}

/** Whether {@link extendField} reaches what a copy of `@nestjs/graphql` reads; policies of fields would be lost else. */
export function reachesFields(storages: { readonly types: unknown; readonly lazy: unknown }): boolean {
  const { GqlLazyMetadataStorageHost: lazy, GqlTypeMetadataStorage: types } = globalThis as GraphqlGlobals;
  return lazy === storages.lazy && types === storages.types && lazy !== undefined && types !== undefined;
}
