import type { ValueMatches } from '../routing/route.ts';

/** A JSON Schema of the 2020-12 dialect, as far as documents of ours use it. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema | boolean;
  readonly prefixItems?: readonly JsonSchema[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly description?: string;
  readonly [keyword: string]: unknown;
}

/** A pointer to a component. */
export type Reference = { readonly $ref: string };

/** A parameter of the path, the query or the header section. */
export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header' | 'cookie';
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
  readonly style?: 'form' | 'simple';
  readonly explode?: boolean;
  /** The value may have slashes: it is the rest of the path. */
  readonly 'x-gatehouse-rest'?: true;
}

/** What one media type holds. */
export interface MediaType {
  readonly schema?: JsonSchema;
}

/** A header field of an answer. */
export interface HeaderField {
  readonly description: string;
  readonly schema: JsonSchema;
}

/** The body of a request. */
export interface RequestBody {
  readonly required?: boolean;
  readonly description?: string;
  readonly content: Readonly<Record<string, MediaType>>;
}

/** One answer, by its status. */
export interface Answer {
  readonly description: string;
  readonly headers?: Readonly<Record<string, HeaderField | Reference>>;
  readonly content?: Readonly<Record<string, MediaType>>;
  /** The codes of the problems that this status may carry. */
  readonly 'x-gatehouse-codes'?: readonly string[];
}

/** Limits of a route that clients have to mind. */
export interface Limits {
  readonly rates?: readonly {
    readonly key: string;
    readonly rate: number;
    readonly perSeconds: number;
    readonly burst: number;
    readonly cost: number;
    /** Of callers of this tier; absent for all, or for those of none. */
    readonly tier?: string;
  }[];
  readonly quotas?: readonly {
    readonly name?: string;
    readonly key: string;
    readonly limit: number;
    readonly window: string;
    readonly timeZone: string;
    readonly cost: number;
    readonly mode: string;
  }[];
  readonly bodyBytes?: number;
  readonly deadlineMs?: number;
}

/** One method of one path. */
export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly deprecated?: true;
  readonly 'x-gatehouse-deprecation'?: Leaving;
  readonly servers?: readonly Server[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: RequestBody;
  readonly responses: Readonly<Record<string, Answer | Reference>>;
  /** The id of its route: several operations may share one. */
  readonly 'x-gatehouse-route': string;
  /** The team whose file the route stands in. */
  readonly 'x-gatehouse-team'?: string;
  readonly 'x-gatehouse-limits'?: Limits;
  readonly 'x-gatehouse-authorization'?: Readonly<Record<string, readonly string[]>>;
  /** Routes that take the same method and path under further conditions, which OpenAPI cannot tell apart. */
  readonly 'x-gatehouse-variants'?: readonly RouteVariant[];
}

/** A route that takes what an operation takes, under further conditions. */
export interface RouteVariant {
  readonly route: string;
  readonly path: string;
  readonly hosts?: readonly string[];
  readonly headers?: ValueMatches;
  readonly query?: ValueMatches;
  readonly cookies?: ValueMatches;
  readonly deprecated?: true;
  readonly 'x-gatehouse-deprecation'?: Leaving;
}

/** Where an API is. */
export interface Server {
  readonly url: string;
  readonly variables?: Readonly<Record<string, { readonly default: string; readonly description?: string }>>;
}

/** The methods that OpenAPI 3.1 has, as far as routes take them. */
export const OPERATION_METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'] as const;

/** One of {@link OPERATION_METHODS}. */
export type OperationMethod = (typeof OPERATION_METHODS)[number];

/** The operations of one path. */
export type PathItem = { readonly [Method in OperationMethod]?: Operation };

/** What several operations share. */
export interface Components {
  readonly schemas: Readonly<Record<string, JsonSchema>>;
  readonly responses: Readonly<Record<string, Answer>>;
  readonly headers: Readonly<Record<string, HeaderField>>;
  readonly securitySchemes: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** An OpenAPI 3.1 document. */
export interface OpenApiDocument {
  readonly openapi: '3.1.1';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers?: readonly Server[];
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly components: Components;
}

/** When an operation goes, and what to call instead; dates as the configuration has them. */
export interface Leaving {
  readonly since: string;
  readonly sunset?: string;
  readonly successor?: string;
  readonly link?: string;
  /** Absent for one that is still served then. */
  readonly afterSunset?: 'gone';
}
