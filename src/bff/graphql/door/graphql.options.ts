import type { GqlModuleOptions } from '@nestjs/graphql';
import type { GraphqlConfig } from '../../../routing/graphql.schema.ts';

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
  /** Most aliases of an operation, fragments expanded. Default 50. */
  readonly maxAliases: number;
  /** Most fields at the root of an operation. Default 20. */
  readonly maxRootFields: number;
  /** Most directives in an operation, fragments expanded. Default 50. */
  readonly maxDirectives: number;
  /** Most operations of a document. Default 10. */
  readonly maxOperations: number;
  /** Deepest nesting of lists and objects in arguments, in default values and in variables. Default 32. */
  readonly maxValueDepth: number;
  /** Most pairs of fields or spreads that meet at one place of the answer, in one document. Default 20000. */
  readonly maxMerges: number;
  /** What operations may cost; undefined counts nothing. */
  readonly cost?: GraphqlConfig['cost'];
  /** Documents that were checked in with the clients. */
  readonly trustedDocuments?: GraphqlConfig['trustedDocuments'];
  /** Whether clients may send the hash of a document they sent before. Default true. */
  readonly persistedQueries: boolean;
  /** Whether a field that the caller may not see costs the field or the whole operation. Default `field`. */
  readonly denied: 'field' | 'operation';
  /** HTTP statuses as the audits want them, or as the draft of 2026 does. Default `audit`. */
  readonly statusRules: 'audit' | 'draft-2026';
  /** Who may see how their operations were executed; undefined: nobody. */
  readonly plan?: GraphqlConfig['plan'];
  /** Which operations the metrics tell apart. */
  readonly metrics?: GraphqlConfig['metrics'];
  /** Whether browsers that open the address see GraphiQL; never in production. Default true. */
  readonly graphiql: boolean;
  /** Limits of subscriptions over WebSocket and Server-Sent Events. */
  readonly subscriptions?: GraphqlConfig['subscriptions'];
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
  maxAliases: 50,
  maxRootFields: 20,
  maxDirectives: 50,
  maxOperations: 10,
  maxValueDepth: 32,
  maxMerges: 20_000,
  persistedQueries: true,
  denied: 'field',
  statusRules: 'audit',
  graphiql: true,
  compileAfter: 3,
  cacheBytes: 64 * 1024 * 1024,
};

/** What `subscriptions` does not say otherwise. */
export const SUBSCRIPTION_DEFAULTS = {
  perSocket: 20,
  sockets: 10_000,
  unidentified: { sockets: 1000, perAddress: 100 },
  messageSize: 64 * 1024,
  idle: 60_000,
  maxAge: 60 * 60_000,
  origins: [] as readonly string[],
};

/** The path of the GraphQL route. */
export const GRAPHQL_PATH = '/graphql';

/** The limits that a configuration file sets; what it does not say is left out. */
export function configuredOptions({ limits = {}, ...rest }: GraphqlConfig): Partial<GraphqlLimits> {
  const named = {
    maxBodyBytes: limits.body,
    maxTokens: limits.tokens,
    maxDepth: limits.depth,
    maxFields: limits.fields,
    maxAliases: limits.aliases,
    maxRootFields: limits.rootFields,
    maxDirectives: limits.directives,
    maxOperations: limits.operations,
    maxValueDepth: limits.valueDepth,
    maxMerges: limits.merges,
    ...rest,
  };
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
}
