import type { z } from 'zod';
import type { JsonRequest } from '../upstreams/http/http-caller.ts';
import { compilePlan, type ReuseOptions } from './call-plan.ts';
import type { DeclaredCall } from './call.ts';
import { declaredCall } from './declared.ts';
import { decoded } from './decode.ts';
import { describeCall } from './describe-call.ts';
import { compileHttpBatch, type HttpBatchOptions } from './http-batch.ts';
import { compilePathTemplate } from './path-template.ts';
import { canonicalJson } from './reuse/call-key.ts';

/** What a call of an HTTP upstream says about itself besides its path. */
export interface HttpCallOptions<In, Out> extends ReuseOptions<Out> {
  /** Checks and narrows the answer; fields that it does not name are dropped. */
  readonly decode: z.ZodType<Out>;
  /** Fields of the input that become the query, in this order; absent ones are left out. */
  readonly query?: readonly (keyof In & string)[];
  /** Makes the JSON body. */
  readonly body?: (input: In) => unknown;
  /** Whether it only reads, as a search by POST does. Default: for GET. */
  readonly reads?: boolean;
  /** An operation of the upstream that reads many at once: calls for single ids made together become one. */
  readonly batch?: HttpBatchOptions<In, NoInfer<Out>>;
}

/** Declares a call with one method; `{x}` in the path is filled in from the field `x` of the input. */
type Declare = <In extends object, Out>(
  name: string,
  path: string,
  options: HttpCallOptions<In, Out>,
) => DeclaredCall<In, Out>;

/** Declares calls of an HTTP upstream that speaks JSON. */
export type HttpUpstream = Readonly<Record<'get' | 'post' | 'put' | 'patch' | 'delete', Declare>>;

/**
 * Names an HTTP upstream of the configuration, to declare its calls.
 *
 * @example
 * const users = httpUpstream('users');
 * export const getUser = users.get<{ id: string }, User>('users.get', '/users/{id}', { decode: userSchema });
 */
export function httpUpstream(upstream: string): HttpUpstream {
  return {
    get: declare(upstream, 'GET'),
    post: declare(upstream, 'POST'),
    put: declare(upstream, 'PUT'),
    patch: declare(upstream, 'PATCH'),
    delete: declare(upstream, 'DELETE'),
  };
}

function declare(upstream: string, method: JsonRequest['method']): Declare {
  return <In extends object, Out>(name: string, path: string, options: HttpCallOptions<In, Out>) => {
    const { reads = method === 'GET' } = options;
    const declaration = { name, upstream, reads, protocol: 'http', operation: `${method} ${path}` } as const;
    return declaredCall(declaration, () => httpCall({ upstream, method, name, path, reads }, options));
  };
}

/** What a call is declared with besides its options. */
interface HttpOperation {
  readonly upstream: string;
  readonly method: JsonRequest['method'];
  readonly name: string;
  readonly path: string;
  readonly reads: boolean;
}

function httpCall<In extends object, Out>(
  { upstream, method, name, path, reads }: HttpOperation,
  options: HttpCallOptions<In, Out>,
): DeclaredCall<In, Out> {
  const { decode, body, query = [] } = options;
  const pathOf = compilePathTemplate<In>(path, query);
  const checked = (value: unknown): Out => decoded(name, decode, value);
  const requestOf = (input: In): JsonRequest =>
    body === undefined
      ? { method, path: pathOf(input), decode: checked }
      : { method, path: pathOf(input), decode: checked, body: body(input) };
  const batched = { name, upstream, path, query, decode };
  const plan = compilePlan(name, options, {
    reads,
    batch: options.batch === undefined ? undefined : compileHttpBatch(batched, options.batch),
    missing: missingOf(options.batch),
  });
  const call: DeclaredCall<In, Out> = {
    name,
    upstream,
    reads,
    plan,
    answer: decode,
    description: describeCall(
      { name, upstream, reads, protocol: 'http', operation: `${method} ${path}` },
      plan,
    ),
    // The path is encoded and so has no line break: what follows the first one is the body.
    keyOf(input) {
      const request = requestOf(input);
      return request.body === undefined ? request.path : `${request.path}\n${canonicalJson(request.body)}`;
    },
    run({ upstreams, http }, input, context) {
      try {
        // The request has been told to decode with the schema of this call.
        return http.json(upstreams.of(context.exchange, upstream), requestOf(input), context) as Promise<Out>;
      } catch (error) {
        return Promise.reject(error);
      }
    },
  };
  return Object.freeze(call);
}

function missingOf<In, Out>(
  batch: HttpBatchOptions<In, Out> | undefined,
): { readonly value: Out } | undefined {
  return batch !== undefined && 'missing' in batch ? { value: batch.missing as Out } : undefined;
}
