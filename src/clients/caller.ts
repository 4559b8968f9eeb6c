import { Injectable } from '@nestjs/common';
import { GrpcCaller } from '../upstreams/grpc/grpc-caller.ts';
import { HttpCaller } from '../upstreams/http/http-caller.ts';
import { UpstreamRegistry } from '../upstreams/upstream-registry.ts';
import type { Call, CallContext, Transports } from './call.ts';

/** Makes calls. The one thing that controllers and views inject to reach a service. */
@Injectable()
export class Caller {
  readonly #transports: Transports;

  constructor(upstreams: UpstreamRegistry, http: HttpCaller, grpc: GrpcCaller) {
    this.#transports = { upstreams, http, grpc };
  }

  /**
   * Makes one call.
   *
   * @throws {Problem} for whatever keeps it from an answer; see the table of the transport.
   */
  call<In, Out>(call: Call<In, Out>, input: In, context: CallContext): Promise<Out> {
    return call.run(this.#transports, input, context);
  }
}
