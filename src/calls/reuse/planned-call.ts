import { Problem } from '../../problems/problem.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import type { CallPlan, Scope } from '../call-plan.ts';
import type { Call, CallContext, Transports } from '../call.ts';
import { isUpstreamFault } from '../upstream-fault.ts';
import { BatchQueue } from './batch-queue.ts';
import { CallCache } from './call-cache.ts';
import { runKey } from './call-key.ts';
import { memoryOf } from './call-memory.ts';
import type { CallTime } from './call-time.ts';
import { memoized } from './exchange-memo.ts';
import { Flights, type Run } from './flights.ts';
import { gated } from './gate.ts';

/** What the layers of a call are made with. */
export interface LayerDeps {
  readonly transports: Transports;
  readonly time: CallTime;
}

/** A call whose declaration has a plan and a key; the builders see to it that one never comes without the other. */
export type ReusableCall<In, Out> = Call<In, Out> & {
  readonly plan: CallPlan<In, Out>;
  keyOf(input: In): string;
};

/**
 * A call with the layers that its declaration asks for and no others, from the outside in: memo, cache, run in
 * flight, batch or gate, upstream. One per call and process.
 */
export class PlannedCall<In, Out> {
  readonly #call: ReusableCall<In, Out>;
  readonly #upstreams: Transports['upstreams'];
  readonly #run: Run<In, Out>;
  #cache: CallCache<In, Out> | undefined = undefined;

  constructor(call: ReusableCall<In, Out>, deps: LayerDeps) {
    this.#call = call;
    this.#upstreams = deps.transports.upstreams;
    this.#run = this.#layers(deps);
  }

  /** Makes the call, or gets its value from one that was made. */
  run(input: In, context: CallContext): Promise<Out> {
    const { exchange, timeoutMs, served, trail, span } = context;
    const { plan } = this.#call;
    let key: string;
    try {
      key = this.#keyOf(plan.share ?? 'principal', exchange, input);
    } catch (error) {
      return Promise.reject(error);
    }
    const home = memoryOf(exchange);
    const answer = this.#run(input, key, { exchange, timeoutMs, served, trail, span, origin: home, home });
    if (plan.missing === undefined && plan.fallback === undefined) return answer;
    return answer.catch((error: unknown) => this.#standIn(error, context));
  }

  #keyOf(scope: Scope, exchange: Exchange, input: In): string {
    const { principal } = exchange;
    const { upstream, keyOf } = this.#call;
    // Services that get tokens may answer by any claim of them.
    const { identity } = this.#upstreams.of(exchange, upstream);
    const more = principal && identity?.tells(principal);
    return runKey(scope, principal, keyOf.call(this.#call, input), more);
  }

  /** Forgets what is kept across requests. */
  clear(): void {
    this.#cache?.clear();
  }

  #layers({ transports, time }: LayerDeps): Run<In, Out> {
    const call = this.#call;
    const { name, plan } = call;
    const upstream: Run<In, Out> = (input, _key, passage) => call.run(transports, input, passage);
    let run = plan.concurrency === undefined ? upstream : gated(plan.concurrency, upstream);
    if (plan.batch !== undefined)
      run = new BatchQueue({ plan: plan.batch, transports, time, alone: run }).run;
    if (plan.cache !== undefined) {
      this.#cache = new CallCache(plan.cache, { name, load: run, time });
      run = this.#cache.run;
    } else if (plan.share !== undefined) run = new Flights(plan.share, run).join;
    return plan.memo ? memoized(run) : run;
  }

  #standIn(error: unknown, { exchange, served }: CallContext): Out {
    const { plan, name } = this.#call;
    if (plan.missing !== undefined && error instanceof Problem && error.code === 'resource-not-found') {
      return plan.missing.value;
    }
    if (plan.fallback === undefined || exchange.cancelled !== undefined || !isUpstreamFault(error))
      throw error;
    const value = plan.fallback(error);
    const { code } = error;
    served?.({ call: name, source: 'fallback', ageMs: 0, freshForMs: 0, scope: 'principal', code });
    return value;
  }
}

/** Whether a call has a plan. */
export function isReusable<In, Out>(call: Call<In, Out>): call is ReusableCall<In, Out> {
  return call.plan !== undefined && call.keyOf !== undefined;
}
