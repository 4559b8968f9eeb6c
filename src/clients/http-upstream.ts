import type { z } from 'zod';
import { Problem } from '../problems/problem.ts';
import type { JsonRequest } from '../upstreams/http/http-caller.ts';
import type { Call } from './call.ts';
import { compilePathTemplate } from './path-template.ts';

/** What a call of an HTTP upstream says about itself besides its path. */
export interface HttpCallOptions<In, Out> {
  /** Checks and narrows the answer; fields that it does not name are dropped. */
  readonly decode: z.ZodType<Out>;
  /** Fields of the input that become the query, in this order; absent ones are left out. */
  readonly query?: readonly (keyof In & string)[];
  /** Makes the JSON body. */
  readonly body?: (input: In) => unknown;
}

/** Declares a call with one method; `{x}` in the path is filled in from the field `x` of the input. */
type Declare = <In extends object, Out>(
  name: string,
  path: string,
  options: HttpCallOptions<In, Out>,
) => Call<In, Out>;

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
    const pathOf = compilePathTemplate<In>(path, options.query ?? []);
    const call: Call<In, Out> = {
      name,
      upstream,
      async run({ upstreams, http }, input, context) {
        const request: JsonRequest =
          options.body === undefined
            ? { method, path: pathOf(input) }
            : { method, path: pathOf(input), body: options.body(input) };
        return decoded(name, options.decode, await http.json(upstreams.get(upstream), request, context));
      },
    };
    return Object.freeze(call);
  };
}

function decoded<Out>(name: string, schema: z.ZodType<Out>, value: unknown): Out {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [first] = result.error.issues;
  // For the log: the place and what was expected there. The value may be anybody's data and stays out of it.
  const cause = new Error(
    `${name}: /${first?.path.map(String).join('/') ?? ''}: ${first?.message ?? 'wrong shape'}`,
  );
  throw new Problem('upstream-response-invalid', { cause });
}
