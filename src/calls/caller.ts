import { Inject, Injectable, Optional } from '@nestjs/common';
import type { Exchange } from '../exchange/exchange.ts';
import type { Problem } from '../problems/problem.ts';
import { GrpcCaller } from '../upstreams/grpc/grpc-caller.ts';
import { HttpCaller } from '../upstreams/http/http-caller.ts';
import { Upstreams } from '../upstreams/upstreams.ts';
import type { Call, CallContext } from './call.ts';
import type { CallLog } from './call-log.ts';
import { noteCall } from './call-watch.ts';
import { runEach, type EachOptions } from './each.ts';
import { CALL_TIME, processTime, type CallTime } from './reuse/call-time.ts';
import { forgetRuns, logOf } from './reuse/call-memory.ts';
import { isReusable, PlannedCall, type LayerDeps } from './reuse/planned-call.ts';
import type { StreamCall, StreamContext } from './stream-call.ts';
import { tracedCall } from './traced-call.ts';

const DEFAULT_CONCURRENCY = 8;

/** Makes calls. The one thing that controllers and views inject to reach a service. */
@Injectable()
export class Caller {
  readonly deps: LayerDeps;
  readonly #planned = new WeakMap<Call<never, unknown>, PlannedCall<unknown, unknown>>();
  #hasPlanned = false;

  constructor(
    upstreams: Upstreams,
    http: HttpCaller,
    grpc: GrpcCaller,
    @Optional() @Inject(CALL_TIME) time?: CallTime,
  ) {
    this.deps = {
      transports: { upstreams, http, grpc },
      time: time ?? processTime,
    };
  }

  /**
   * Makes one call, as its declaration says: alone, merged with equal ones, or from what is kept. A value may be
   * shared with others: do not change it. Outside production it is frozen.
   *
   * @throws {Problem} for whatever keeps it from an answer; see the table of the transport.
   */
  call<In, Out>(call: Call<In, Out>, input: In, context: CallContext): Promise<Out> {
    noteCall(call);
    const { spans } = context.exchange.trace;
    if (spans !== undefined)
      return tracedCall(spans, call.name, context, (traced) => this.#logged(call, input, traced));
    return this.#logged(call, input, context);
  }

  /**
   * Makes a call for each input, a bounded number at a time; equal inputs of a call that reads make one.
   *
   * @returns in the order of the inputs, each a value or the problem of that call alone.
   */
  each<In, Out>(
    call: Call<In, Out>,
    inputs: readonly In[],
    context: CallContext,
    { concurrency = DEFAULT_CONCURRENCY }: EachOptions = {},
  ): Promise<(Out | Problem)[]> {
    const mergeable = call.reads === true && call.keyOf !== undefined;
    return runEach(inputs, {
      call: (input) => this.call(call, input, context),
      keyOf: mergeable ? (input) => call.keyOf?.(input) : undefined,
      concurrency: call.plan?.batch === undefined ? Math.max(1, concurrency) : inputs.length,
    });
  }

  /**
   * Makes a call that answers with a stream: values as they come, no faster than they are asked for. The upstream is
   * asked when the first one is; the stream ends when it is left (`break`, `return()`) or the exchange is cancelled.
   * Another target is asked only until one has opened; what ends the stream after that is thrown as a problem.
   */
  stream<In, Out>(
    call: StreamCall<In, Out>,
    input: In,
    context: StreamContext,
  ): AsyncIterableIterator<Out, undefined> {
    const stream = call.open(this.deps.transports, input, context);
    return logOf(context.exchange)?.followStream(call, stream) ?? stream;
  }

  /**
   * Forgets what was read within an exchange. Calls that may change something do it by themselves; an exchange
   * that serves many operations, such as the one of a socket, needs it before each of them.
   */
  forget(exchange: Exchange): void {
    forgetRuns(exchange);
  }

  /** Forgets what a call has kept across requests, in this process: what it reads has been changed. */
  invalidate<In, Out>(call: Call<In, Out>): void {
    this.#planned.get(call as Call<never, unknown>)?.clear();
  }

  #logged<In, Out>(call: Call<In, Out>, input: In, context: CallContext): Promise<Out> {
    const log = logOf(context.exchange);
    if (log === undefined) return this.#make(call, input, context);
    return this.#followed(log, call, input, context);
  }

  // Apart from the way of most calls, which then needs no closure.
  #followed<In, Out>(log: CallLog, call: Call<In, Out>, input: In, context: CallContext): Promise<Out> {
    return log.follow(call, context, (followed) => this.#make(call, input, followed));
  }

  #make<In, Out>(call: Call<In, Out>, input: In, context: CallContext): Promise<Out> {
    if (call.plan !== undefined) return this.#plannedOf(call).run(input, context);
    if (call.reads === false && this.#hasPlanned) return this.#write(call, input, context);
    return call.run(this.deps.transports, input, context);
  }

  /** What was read before a change, or while it was made, is not what the rest of the exchange should see. */
  async #write<In, Out>(call: Call<In, Out>, input: In, context: CallContext): Promise<Out> {
    this.forget(context.exchange);
    try {
      return await call.run(this.deps.transports, input, context);
    } finally {
      this.forget(context.exchange);
    }
  }

  #plannedOf<In, Out>(call: Call<In, Out>): PlannedCall<In, Out> {
    // A call has one pair of types, and its layers have the same.
    const known = this.#planned.get(call as Call<never, unknown>) as PlannedCall<In, Out> | undefined;
    if (known !== undefined) return known;
    if (!isReusable(call))
      throw new Error(`the call ${call.name} has a plan but no keyOf; use an upstream builder`);
    const planned = new PlannedCall(call, this.deps);
    this.#planned.set(call as Call<never, unknown>, planned as PlannedCall<unknown, unknown>);
    this.#hasPlanned = true;
    return planned;
  }
}
