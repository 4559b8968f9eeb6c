import type { Answered } from './answers.ts';
import type { CallOptions } from './client-options.ts';

/** What is known of an operation, in types: what openapi-typescript says of it, and what that has no words for. */
export interface OperationFacts {
  readonly method: string;
  readonly path: string;
  readonly operation: { readonly parameters: object; readonly requestBody?: unknown };
  readonly data: unknown;
  /** For a view: the same when no `fields` leave sections out. */
  readonly whole?: unknown;
  readonly problems: string;
  /** What a stream consists of. */
  readonly record?: unknown;
  /** Takes any parameters in its query. */
  readonly anyQuery?: true;
}

/** @internal */
export type Facts<Api> = { readonly [Id in keyof Api]: OperationFacts };
type Value = string | number | boolean;
type AnyQuery = Readonly<Record<string, Value | readonly Value[] | undefined>>;
/** Who has nothing to say may say so. */
type Loose<T> = { readonly [Name in keyof T]: {} extends Pick<T, Name> ? T[Name] | undefined : T[Name] };
type Places<Given> = {
  readonly [
    Place in keyof Given as [NonNullable<Given[Place]>] extends [never]
      ? never
      : Place extends 'cookie'
        ? never
        : Place
  ]: Loose<Given[Place]>;
};
type Params<Of extends OperationFacts> = Places<Of['operation']['parameters']> &
  (Of['anyQuery'] extends true ? { readonly query?: AnyQuery | undefined } : unknown);
type Sent<Content> = Content extends { readonly 'application/json': infer Json }
  ? Json
  : Content extends { readonly 'application/x-ndjson': infer Line }
    ? Iterable<Line> | AsyncIterable<Line>
    : NonNullable<RequestInit['body']>;
type Body<Request> = [NonNullable<Request>] extends [never]
  ? { readonly body?: undefined }
  : Request extends { readonly content: infer Content }
    ? { readonly body: Sent<Content> }
    : NonNullable<Request> extends { readonly content: infer Content }
      ? { readonly body?: Sent<Content> | undefined }
      : unknown;
/** What a request of an operation takes. */
export type Init<Of extends OperationFacts> = ([keyof Params<Of>] extends [never]
  ? { readonly params?: undefined }
  : {} extends Params<Of>
    ? { readonly params?: Params<Of> | undefined }
    : { readonly params: Params<Of> }) &
  Body<Of['operation']['requestBody']> &
  CallOptions;
type Fields = readonly string[] | undefined;
type WithFields<Chosen extends Fields> = {
  readonly params?: { readonly query?: { readonly fields?: Chosen } };
};
type Args<Of extends OperationFacts, Chosen extends Fields = undefined> =
  {} extends Init<Of> ? [init?: Init<Of> & WithFields<Chosen>] : [init: Init<Of> & WithFields<Chosen>];
type Part<Whole, Name> = Whole extends unknown ? Pick<Whole, Extract<keyof Whole, Name | 'degraded'>> : never;
type NamedIn<Chosen extends readonly string[]> = Extract<Chosen[number], `${string}.${string}`>;
/** What is answered: all sections of a view, or those that `fields` names. */
export type DataOf<Of extends OperationFacts, Chosen extends Fields = undefined> = Of extends {
  readonly whole: infer Whole;
}
  ? Chosen extends readonly string[]
    ? number extends Chosen['length']
      ? Of['data']
      : [NamedIn<Chosen>] extends [never]
        ? Part<Whole, Chosen[number]>
        : Of['data']
    : Whole
  : Of['data'];
type IdsByPath<Api extends Facts<Api>, Method> = {
  readonly [Id in keyof Api as Api[Id]['method'] extends Method ? Api[Id]['path'] : never]: Id;
};
type IdAt<Api extends Facts<Api>, Method, Path extends keyof IdsByPath<Api, Method>> = Extract<
  IdsByPath<Api, Method>[Path],
  keyof Api
>;
type Asked<Api extends Facts<Api>, Id extends keyof Api, Chosen extends Fields> = Promise<
  Answered<DataOf<Api[Id], Chosen>, Api[Id]['problems']>
>;
/** Makes requests with one method. */
export type PathMethod<Api extends Facts<Api>, Method> = <
  Path extends keyof IdsByPath<Api, Method>,
  const Chosen extends Fields = undefined,
>(
  path: Path,
  ...init: Args<Api[IdAt<Api, Method, Path>], Chosen>
) => Asked<Api, IdAt<Api, Method, Path>, Chosen>;

type Streaming<Api extends Facts<Api>> = {
  readonly [Id in keyof Api as Api[Id] extends { readonly record: unknown } ? Id : never]: Api[Id];
};

/** A client of a gateway. It never tries again by itself: `retryAfterSeconds` of a problem says when it makes sense. */
export interface GatewayClient<Api extends Facts<Api>> {
  readonly GET: PathMethod<Api, 'GET'>;
  readonly HEAD: PathMethod<Api, 'HEAD'>;
  readonly POST: PathMethod<Api, 'POST'>;
  readonly PUT: PathMethod<Api, 'PUT'>;
  readonly PATCH: PathMethod<Api, 'PATCH'>;
  readonly DELETE: PathMethod<Api, 'DELETE'>;
  readonly OPTIONS: PathMethod<Api, 'OPTIONS'>;
  /** The same by the id of an operation. */
  call<Id extends keyof Api & string, const Chosen extends Fields = undefined>(
    id: Id,
    ...init: Args<Api[Id], Chosen>
  ): Asked<Api, Id, Chosen>;
  /**
   * Asks an operation for a stream, and yields its records as they arrive. A problem is thrown, before the first record or
   * in between. Whoever leaves the loop ends the stream.
   */
  stream<Id extends keyof Streaming<Api> & string>(
    id: Id,
    ...init: Args<Streaming<Api>[Id]>
  ): AsyncGenerator<Streaming<Api>[Id] extends { readonly record: infer Item } ? Item : never, void, void>;
}
