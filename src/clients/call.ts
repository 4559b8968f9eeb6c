import type { GrpcCaller } from '../upstreams/grpc/grpc-caller.ts';
import type { CallLimits } from '../upstreams/call-run.ts';
import type { HttpCaller } from '../upstreams/http/http-caller.ts';
import type { UpstreamRegistry } from '../upstreams/upstream-registry.ts';

/** What one run of a call may use: the exchange it serves, and the time it may take. */
export type CallContext = CallLimits;

/** What calls run on. */
export interface Transports {
  readonly upstreams: UpstreamRegistry;
  readonly http: HttpCaller;
  readonly grpc: GrpcCaller;
}

/** A typed operation of an upstream: a frozen description, declared once at module level, with no state. */
export interface Call<In, Out> {
  /** `users.get` style, unique. */
  readonly name: string;
  /** The name of the upstream. */
  readonly upstream: string;
  /** Makes the call. Its failures are always problems of the catalogue. */
  run(transports: Transports, input: In, context: CallContext): Promise<Out>;
}
