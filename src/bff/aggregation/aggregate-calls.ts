import { toJson, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import { compilePlan, type CallPlan, type Duration, type ReuseOptions } from '../../calls/call-plan.ts';
import type { Call, CallContext } from '../../calls/call.ts';
import type { Caller } from '../../calls/caller.ts';
import { grpcUpstream } from '../../calls/grpc-upstream.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import type { ForeseenRequest } from '../../routing/foreseen.ts';
import type { TemplateScope } from '../../templates/template-scope.ts';
import type { BatchKeys, ReuseKeys } from './aggregate.schema.ts';
import type { AggregateCall, GrpcOperation, HttpOperation } from './aggregate.ts';
import { messageOf } from './call-message.ts';
import { foreseenGrpc, foreseenHttp } from './foreseen-calls.ts';
import { parseExact } from './exact-json.ts';
import { planHttpMany, type HttpInput, type ReadJson } from './http-many.ts';
import { spokenPart } from './spoken-freshness.ts';

/** A call of an aggregated route that can be made; one for all exchanges of its route. */
export interface RunnableCall {
  /** Whether it says how fresh its value is. */
  readonly tells: boolean;
  /** Makes the call with what is in the scope. @throws {Problem} when a value that it needs is missing. */
  make(caller: Caller, scope: TemplateScope, context: CallContext): Promise<unknown>;
  /** What that would send; nothing is. @throws {Problem} as `make`. */
  foresee(exchange: Exchange, scope: TemplateScope, limitMs: number): CallForeseen;
}

/** What a call would send. */
export type CallForeseen = Pick<ForeseenRequest, 'upstream' | 'headFor' | 'body'>;

/**
 * Makes calls of what a route declares. Those that ask one upstream for the same thing in the same way are one call, so
 * that equal requests of an exchange are made once.
 *
 * @param routeId begins their names.
 */
export function runnableCalls(routeId: string, calls: readonly AggregateCall[]): readonly RunnableCall[] {
  const known = new Map<string, RunnableCallOf>();
  const counts = new Map<string, number>();
  for (const call of calls) counts.set(keyOf(call), (counts.get(keyOf(call)) ?? 0) + 1);
  return calls.map((call) => {
    const { operation, upstream, reuse } = call;
    const key = keyOf(call);
    let runnable = known.get(key);
    if (runnable === undefined) {
      const about = {
        name: `${routeId}.${call.name}`,
        upstream,
        options: optionsOf(reuse, (counts.get(key) ?? 0) > 1),
        batch: reuse.batch,
      };
      runnable = operation.kind === 'http' ? overHttp(about) : overGrpc(about, operation);
      known.set(key, runnable);
    }
    return {
      tells: runnable.tells,
      make: runnable.with(operation as never),
      foresee: (exchange, scope, limitMs) => {
        const named = exchange.snapshot?.upstreams.find(upstream);
        if (operation.kind === 'http')
          return foreseenHttp(operation, { exchange, upstream: named, scope, limitMs });
        return foreseenGrpc(operation, { exchange, upstream: named, scope, limitMs });
      },
    };
  });
}

interface RunnableCallOf<Operation = HttpOperation | GrpcOperation> {
  readonly tells: boolean;
  with(operation: Operation): RunnableCall['make'];
}

interface About {
  readonly name: string;
  readonly upstream: string;
  readonly options: ReuseOptions<unknown>;
  readonly batch: BatchKeys | undefined;
}

function keyOf({ operation, upstream, reuse }: AggregateCall): string {
  if (operation.kind === 'http') return JSON.stringify([upstream, reuse]);
  const { method, many } = operation;
  return JSON.stringify([upstream, `${method.parent.typeName}/${method.name}`, reuse, many?.by]);
}

// A cache serves equal calls already.
function optionsOf({ share, cache }: ReuseKeys, isRepeated: boolean): ReuseOptions<unknown> {
  const ms = (value: number): Duration => `${value}ms`;
  return {
    ...(isRepeated && cache === undefined ? { memo: true } : {}),
    ...(share === undefined ? {} : { share: share === 'public' ? share : true }),
    ...(cache === undefined
      ? {}
      : {
          cache: {
            scope: cache.scope,
            ttl: ms(cache.ttl),
            staleWhileRevalidate: ms(cache.staleWhileRevalidate),
            staleIfError: ms(cache.staleIfError),
            maxEntries: cache.maxEntries,
            maxBytes: cache.maxBytes,
          },
        }),
  };
}

function overHttp({ name, upstream, options, batch }: About): RunnableCallOf<HttpOperation> {
  const read: ReadJson = ({ upstreams, http }, path, context) =>
    http.json(
      upstreams.of(context.exchange, upstream),
      { method: 'GET', path, parse: parseExact, ...hearing(name, plan, context) },
      context,
    );
  const plan = compilePlan<HttpInput, unknown>(name, options, {
    reads: true,
    batch: batch && planHttpMany(batch, read),
    missing: undefined,
  });
  const call: Call<HttpInput, unknown> = Object.freeze({
    name,
    upstream,
    reads: true,
    plan,
    keyOf: ({ path }: HttpInput) => path,
    run: (transports, { path }, context) => read(transports, path, context),
  } satisfies Call<HttpInput, unknown>);
  return {
    tells: true,
    with: (operation) => (caller, scope, context) => caller.call(call, inputOf(operation, scope), context),
  };
}

// The path is first: it refuses values that would lead elsewhere.
function inputOf({ target, many }: HttpOperation, scope: TemplateScope): HttpInput {
  const path = target(scope);
  return many === undefined ? { path, id: '', many: '' } : { path, ...many.of(scope) };
}

// What a cache keeps is as fresh as its declaration says, whatever the service says.
function hearing(name: string, plan: CallPlan<HttpInput, unknown> | undefined, { served }: CallContext) {
  if (served === undefined || plan?.cache !== undefined) return {};
  return { heard: (headers: Parameters<typeof spokenPart>[1]): void => served(spokenPart(name, headers)) };
}

function overGrpc(
  { name, upstream, options }: About,
  { method, registry, many }: GrpcOperation,
): RunnableCallOf<GrpcOperation> {
  const reuse = options as ReuseOptions<MessageShape<DescMessage>>;
  const call = grpcUpstream(upstream).unary(name, method, {
    ...reuse,
    reads: true,
    ...(many && { batch: many }),
  });
  return {
    tells: call.plan?.cache !== undefined,
    with: (operation) => async (caller, scope, context) => {
      const answer = await caller.call(call, messageOf(operation, scope), context);
      try {
        return toJson(method.output, answer, { registry, alwaysEmitImplicit: true });
      } catch (error) {
        throw new Problem('upstream-response-invalid', { cause: error });
      }
    },
  };
}
