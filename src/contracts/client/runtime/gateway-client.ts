import createFetchClient from 'openapi-fetch';
import { UnexpectedAnswerError, type Told } from './answers.ts';
import type { ClientOptions } from './client-options.ts';
import type { Facts, GatewayClient } from './operation-types.ts';
import type { LooseInit, Plan } from './plan.ts';
import { answerOf } from './reading.ts';
import { bodyOf, headersOf, pathOf, queryOf } from './requests.ts';
import { records } from './streams.ts';

/** The answer of a request that has one. @throws {ProblemErrorOf} the problem of one that was refused. */
export async function orThrow<Answer extends Told & { readonly data?: unknown; readonly problem?: unknown }>(
  asked: Promise<Answer>,
): Promise<Exclude<Answer, { readonly problem: Error }>> {
  const answer = await asked;
  if (answer.problem !== undefined) throw answer.problem;
  return answer as Exclude<Answer, { readonly problem: Error }>;
}

/**
 * For the `default` of a `switch` over the `code` of a problem: does not compile while a code is left that the operation may
 * end with. @throws what it is given: a newer gateway may have more of them.
 */
export function unhandled(problem: never): never {
  throw problem as Error;
}

/** Makes a client that sends with `openapi-fetch`. */
export function gatewayClient<Api extends Facts<Api>>(
  plans: Readonly<Record<string, Plan>>,
  options: ClientOptions,
): GatewayClient<Api> {
  const send = sender(options);
  const ids = new Map(Object.entries(plans).map(([id, { method, path }]) => [`${method} ${path}`, id]));
  const planOf = (id: string): Plan => {
    const plan = Object.hasOwn(plans, id) ? plans[id] : undefined;
    if (plan === undefined) throw new TypeError(`there is no operation ${id}`);
    return plan;
  };
  const call = async (id: string, init: LooseInit = {}): Promise<Told> => {
    const plan = planOf(id);
    return answerOf(id, plan, await send(id, plan, init));
  };
  const by =
    (method: string) =>
    (path: string, init?: LooseInit): Promise<Told> =>
      call(ids.get(`${method} ${path}`) ?? `${method} ${path}`, init);
  async function* stream(id: string, init: LooseInit = {}): AsyncGenerator<unknown, void, void> {
    const plan = planOf(id);
    const response = await send(id, plan, init, plan.stream ?? 'application/x-ndjson');
    const type = response.headers.get('content-type') ?? '';
    if (!response.ok || type.split(';')[0] !== plan.stream) {
      const { problem } = (await answerOf(id, plan, response)) as { readonly problem?: Error };
      throw problem ?? new UnexpectedAnswerError(id, response, '');
    }
    yield* records(id, response);
  }
  const [GET, HEAD, POST, PUT] = [by('GET'), by('HEAD'), by('POST'), by('PUT')];
  const methods = { GET, HEAD, POST, PUT, PATCH: by('PATCH'), DELETE: by('DELETE'), OPTIONS: by('OPTIONS') };
  // The types of what is sent and of what comes are those of the document; here all operations are one.
  return { ...methods, call, stream } as unknown as GatewayClient<Api>;
}

type Send = (id: string, plan: Plan, init: LooseInit, stream?: string) => Promise<Response>;

function sender({ baseUrl, fetch, headers, middleware = [], ...client }: ClientOptions): Send {
  const http = createFetchClient<Record<string, never>>({
    baseUrl,
    ...(fetch === undefined ? {} : { fetch }),
    ...(headers === undefined ? {} : { headers }),
  });
  // Answers are read here: their problems, streams and forwarded bodies are none of what openapi-fetch reads.
  const taken = new WeakMap<Response, Response>();
  http.use({
    onResponse({ response }) {
      const empty = new Response(null, { status: 204 });
      taken.set(empty, response);
      return empty;
    },
  });
  http.use(...middleware);
  const request = http.request as unknown as (
    method: string,
    path: string,
    init: object,
  ) => Promise<{ readonly response: Response }>;
  return async (id, plan, init, stream) => {
    const { params, body, signal } = init;
    const sent = await request(plan.method.toLowerCase(), plan.path, {
      params: { header: params?.header, query: params?.query ?? {}, path: params?.path ?? {} },
      headers: await headersOf(client, plan, init, stream),
      pathSerializer: (url: string, values: Readonly<Record<string, unknown>>) =>
        url.slice(0, -plan.path.length) + pathOf(id, plan, values),
      querySerializer: (values: object) => queryOf(plan, values),
      ...(body === undefined ? {} : bodyOf(plan, body)),
      ...(signal === undefined ? {} : { signal }),
    });
    const response = taken.get(sent.response) ?? sent.response;
    client.onAnswer?.(id, response);
    return response;
  };
}
