import type { z } from 'zod';
import type { CallLimits } from '../upstreams/call-run.ts';
import type { GrpcCaller } from '../upstreams/grpc/grpc-caller.ts';
import type { HttpCaller } from '../upstreams/http/http-caller.ts';
import type { Upstreams } from '../upstreams/upstreams.ts';
import type { ProblemCode } from '../problems/catalogue.ts';
import type { CallRecord } from './call-log.ts';
import type { CallPlan, Scope } from './call-plan.ts';

/** What one run of a call may use: the exchange it serves, and the time it may take. */
export interface CallContext extends CallLimits {
  /** Hears how the call was served, at most once; only calls with a cache or a fallback report it, and those that tell what their upstream says. */
  readonly served?: ((part: ServedPart) => void) | undefined;
  /** Who makes the call; for logs of calls. */
  readonly by?: { readonly place: string } | undefined;
  /** What is kept of this run, while somebody keeps a log of the calls of its exchange. */
  readonly trail?: CallRecord | undefined;
}

/**
 * How one call with a cache or a fallback was served: what `Cache-Control` and the list of degradations need.
 * A composed answer is as fresh as its least fresh part, and not at all when a part reported nothing.
 */
export interface ServedPart {
  /** Name of the call. */
  readonly call: string;
  readonly source: 'upstream' | 'cache' | 'stale' | 'fallback';
  /** Age of the value, in ms. */
  readonly ageMs: number;
  /** How long the value stays fresh, in ms; 0 for a stale value and for a fallback; undefined when nobody says. */
  readonly freshForMs: number | undefined;
  /** Who may see the value: everybody, or the principal of the exchange; undefined when nobody says. */
  readonly scope: Scope | undefined;
  /** Whether the value may be kept at all. Default true. */
  readonly storable?: boolean;
  /** Whether it may stand in when it is no longer fresh. Default true. */
  readonly mayBeStale?: boolean;
  /** Why a stale value or a fallback stands in; absent while a stale value is being refreshed. */
  readonly code?: ProblemCode;
}

/** What calls run on. */
export interface Transports {
  readonly upstreams: Upstreams;
  readonly http: HttpCaller;
  readonly grpc: GrpcCaller;
}

/** A call as data, for documentation, plan pictures and checks at boot. Frozen. */
export interface CallDescription {
  readonly name: string;
  readonly upstream: string;
  readonly protocol: 'http' | 'grpc';
  /** `GET /users/{id}` or `shop.v1.Orders/GetOrder`. */
  readonly operation: string;
  /** Whether it only reads; everything below is for calls that do. */
  readonly reads: boolean;
  readonly memo: boolean;
  readonly share: Scope | undefined;
  readonly cache: CacheDescription | undefined;
  readonly batch: BatchDescription | undefined;
  /** Most runs of one exchange at a time; undefined: no bound. */
  readonly concurrency: number | undefined;
  readonly fallback: boolean;
}

/** The cache of a call as data; times in ms. */
export interface CacheDescription {
  readonly scope: Scope;
  readonly ttlMs: number;
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** The ids operation of a call as data. */
export interface BatchDescription {
  /** `GET /users?ids=` or `shop.v1.Orders/ListOrders`. */
  readonly operation: string;
  readonly max: number;
}

/** A typed operation of an upstream: a frozen description, declared once at module level, with no state. */
export interface Call<In, Out> {
  /** `users.get` style, unique. */
  readonly name: string;
  /** The name of the upstream. */
  readonly upstream: string;
  /** `false` for a call that may change something. */
  readonly reads?: boolean;
  /** How its runs are merged and kept; absent: each call is one run, and costs nothing more. */
  readonly plan?: CallPlan<In, Out> | undefined;
  /** What an answer is decoded with, for documents; undefined for a message of gRPC. */
  readonly answer?: z.ZodType | undefined;
  /** Makes one run at the upstream. Its failures are always problems of the catalogue. */
  run(transports: Transports, input: In, context: CallContext): Promise<Out>;
  /**
   * The request that the input becomes, as text: equal for equal requests only, whatever the order of properties.
   *
   * @throws {Problem} when the input cannot be sent.
   */
  keyOf?(input: In): string;
}

/** A call that one of the upstream builders declared. */
export interface DeclaredCall<In, Out> extends Call<In, Out> {
  readonly reads: boolean;
  readonly description: CallDescription;
  keyOf(input: In): string;
}
