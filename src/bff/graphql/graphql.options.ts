import type { GqlModuleOptions } from '@nestjs/graphql';

/** The limits and switches of the GraphQL door. */
export interface GraphqlLimits {
  /** Turns introspection and suggestions off. Default: `NODE_ENV` is `production`. */
  readonly production: boolean;
  /** Largest request body in bytes. Default 100 KiB. */
  readonly maxBodyBytes: number;
  /** Most lexical tokens of a document; the parser stops there. Default 2000. */
  readonly maxTokens: number;
  /** Deepest nesting of fields, fragments included. Default 12. */
  readonly maxDepth: number;
  /** Most fields of an operation, each fragment counted wherever it is spread. Default 1000. */
  readonly maxFields: number;
  /** How often an operation is interpreted before it is compiled. Default 3. */
  readonly compileAfter: number;
  /** Memory for parsed and compiled documents, in estimated bytes. Default 64 MiB. */
  readonly cacheBytes: number;
}

/** Options of the GraphQL module with our driver. */
export interface GraphqlOptions extends GqlModuleOptions, Partial<GraphqlLimits> {}

/** What is not said otherwise. */
export const GRAPHQL_DEFAULTS: Omit<GraphqlLimits, 'production'> = {
  maxBodyBytes: 100 * 1024,
  maxTokens: 2000,
  maxDepth: 12,
  maxFields: 1000,
  compileAfter: 3,
  cacheBytes: 64 * 1024 * 1024,
};

/** The path of the GraphQL route. */
export const GRAPHQL_PATH = '/graphql';
