import type { Type } from '@nestjs/common';
import type { z } from 'zod';
import type { SectionSchemas, AnswerOptions } from '../contracts/answers.decorator.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { policyRegistry, PolicyName } from '../policies/order.ts';
import type { View, ViewValues } from './view.ts';
import type { ViewVariants } from './view-variants.ts';

/** The parameters in a path: `{id}` of `/api/page/{id}`. */
export type PathParameters<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Record<Name, string> & PathParameters<Rest>
  : object;

/** Policies by name, each with what its decorator takes. */
export type SaidPolicies = {
  readonly [Name in PolicyName]?: Parameters<(typeof policyRegistry)[Name]['decorator']>[0];
};

/** The schemas of the parameters of a query, by name. */
export type QuerySchemas = Readonly<Record<string, z.ZodType>>;

/** What a query says, by its schemas. */
export type QueryValues<Query extends QuerySchemas> = z.output<
  z.ZodObject<{ -readonly [Name in keyof Query]: Query[Name] }>
>;

/** What a view is asked with. */
export interface Asked<Path extends string, Query extends QuerySchemas> {
  /** Of the path over REST, and the arguments over GraphQL. */
  readonly params: PathParameters<Path>;
  /** Of the query over REST, and arguments over GraphQL as well. */
  readonly query: QueryValues<Query>;
  readonly exchange: Exchange;
}

/** The query that shows a view over GraphQL. */
export interface ExposedQuery {
  readonly query: string;
  /** What the query answers, for the schema. */
  readonly description?: string;
  /** What the page is, for the schema. */
  readonly typeDescription?: string;
  /** The object type, where it is written by hand. Default: made of the schemas of the sections. */
  readonly type?: () => Type;
  /** Policies of the query, where they are not those of the route. */
  readonly policies?: SaidPolicies;
}

/** How a view is offered. */
export type ExposeOptions<
  Input,
  Results extends object,
  Nullable extends string,
  Path extends string,
  Query extends QuerySchemas,
> = Pick<AnswerOptions, 'summary' | 'description' | 'kinds' | 'deprecated' | 'problems'> & {
  /** The path of its route, with `{name}` for a segment that is a parameter. */
  readonly rest: Path;
  /** The name of its query; without it, it is not part of GraphQL. */
  readonly graphql?: string | ExposedQuery;
  /**
   * The policies of the route. Those that fields of GraphQL can have (`authentication`, `authorization`, `rateLimit`) hold on
   * the query too; what else guards the route has to be answered by policies of the query.
   */
  readonly policies?: SaidPolicies;
  /** Schemas of sections whose source is neither a call that decodes with one, nor a view. */
  readonly sections?: SectionSchemas<ViewValues<View<Input, Results, Nullable>>>;
  /** Schemas of the parameters; any text that is not empty without one. */
  readonly params?: { readonly [Name in keyof PathParameters<Path>]?: z.ZodType<string> };
  /**
   * Schemas of the parameters of its query: texts, numbers, booleans, enums, and lists of them, which are parameters that are said
   * several times. Over GraphQL they are arguments. Default none: what a query says besides `fields` is not looked at then, and refused otherwise.
   */
  readonly query?: Query;
} & (PathParameters<Path> & QueryValues<Query> extends Input
    ? { readonly input?: (asked: Asked<Path, Query>) => Input }
    : {
        /** Makes the input of the view. */
        readonly input: (asked: Asked<Path, Query>) => Input;
      });

/** A view, or its shapes for kinds of clients, and how it is offered. Made by `expose`. */
export interface ExposedView {
  readonly view: View<unknown, object, string>;
  /** What REST answers with: the view, or its shapes. */
  readonly shapes: View<unknown, object, string> | ViewVariants<unknown, object, string, object>;
  readonly options: ExposedOptions;
}

/** {@link ExposeOptions}, without the types of the view. */
export type ExposedOptions = Pick<
  AnswerOptions,
  'summary' | 'description' | 'kinds' | 'deprecated' | 'problems'
> & {
  readonly rest: string;
  readonly graphql?: string | ExposedQuery;
  readonly policies?: SaidPolicies;
  readonly sections?: Readonly<Record<string, z.ZodType | undefined>>;
  readonly params?: Readonly<Record<string, z.ZodType<string> | undefined>>;
  readonly query?: QuerySchemas;
  readonly input?: (asked: {
    params: Readonly<Record<string, string>>;
    query: Readonly<Record<string, unknown>>;
    exchange: Exchange;
  }) => unknown;
};
