import type { z } from 'zod';
import { Problem } from '../problems/problem.ts';
import type { BatchAnswer, BatchPlan } from './call-plan.ts';
import { decoded, misshapen } from './decode.ts';
import { compilePathTemplate } from './path-template.ts';

/** The ids operation of an HTTP upstream: one GET for many elements of the same kind as the call returns. */
export interface HttpBatchOptions<In, Out> {
  /** Its path; may have the parameters of the call's own path, except the one of the id. */
  readonly path: string;
  /** The query parameter that takes the ids. */
  readonly ids: string;
  /** Most ids of one request; more become several requests, made in parallel. */
  readonly max: number;
  /** The id of an element. It is also tried on an element that could not be decoded, to tell whose it is. */
  readonly key: (element: Out) => string | number;
  /** The field of the input that holds the id. Default: the only parameter of the call's path. */
  readonly by?: keyof In & string;
  /** The field of the answer that holds the list. Default: the answer is the list. */
  readonly list?: string;
  /** How several ids are written: `ids=1,2` or `ids=1&ids=2`. Default `comma`. */
  readonly format?: 'comma' | 'repeated';
  /** What an id that does not exist becomes; absent: `resource-not-found`. */
  readonly missing?: Out;
}

/** The call that the ids operation belongs to. */
export interface BatchedCall<In, Out> {
  readonly name: string;
  readonly upstream: string;
  readonly path: string;
  readonly query: readonly (keyof In & string)[];
  readonly decode: z.ZodType<Out>;
}

/**
 * Compiles the ids operation of a call.
 *
 * @throws {Error} naming the call when it cannot be told which field of the input is the id.
 */
export function compileHttpBatch<In extends object, Out>(
  call: BatchedCall<In, Out>,
  options: HttpBatchOptions<In, Out>,
): BatchPlan<In, Out> {
  const { ids, max, format = 'comma' } = options;
  const by = options.by ?? onlyParameter(call);
  // Everything of the input but the id: inputs that differ in it cannot share a request.
  const groupOf = compilePathTemplate<In>(
    options.path,
    call.query.filter((name) => name !== by),
  );
  const idOf = (input: In): string => String((input as Readonly<Record<string, unknown>>)[by]);
  const separator = format === 'comma' ? ',' : `&${ids}=`;
  return Object.freeze({
    operation: `GET ${options.path}?${ids}=`,
    max,
    groupOf,
    idOf,
    // An id with a comma would be read as two; it travels alone, in the path.
    joins: (id: string) => format === 'repeated' || !id.includes(','),
    async load({ upstreams, http }, inputs, context) {
      const path = groupOf(inputs[0] as In);
      const list = inputs.map((input) => encodeURIComponent(idOf(input).toWellFormed())).join(separator);
      const request = {
        method: 'GET',
        path: `${path}${path.includes('?') ? '&' : '?'}${ids}=${list}`,
      } as const;
      const answer = await http.json(upstreams.of(context.exchange, call.upstream), request, context);
      return sortOut(call, options, answer);
    },
  } satisfies BatchPlan<In, Out>);
}

function onlyParameter<In, Out>({ name, path }: BatchedCall<In, Out>): string {
  const parameters = [...path.matchAll(/\{([A-Za-z_]\w*)\}/g)].map(([, parameter]) => parameter as string);
  const [only] = parameters;
  if (only !== undefined && parameters.length === 1) return only;
  throw new Error(`the call ${name}: \`batch.by\`: name the field of the input that holds the id`);
}

function sortOut<In, Out>(
  { name, decode }: BatchedCall<In, Out>,
  { list, key }: HttpBatchOptions<In, Out>,
  answer: unknown,
): BatchAnswer<Out> {
  const elements = list === undefined ? answer : (answer as Readonly<Record<string, unknown>> | null)?.[list];
  const place = list === undefined ? '' : `/${list}`;
  if (!Array.isArray(elements)) throw misshapen(name, place, 'expected a list');
  const found = new Map<string, Out>();
  const faults = new Map<string, Problem>();
  let stray: Problem | undefined;
  for (const [index, element] of elements.entries()) {
    try {
      const value = decoded(name, decode, element, `${place}/${index}`);
      const id = String(key(value));
      if (!found.has(id)) found.set(id, value);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const id = idOfGarbage(key, element);
      if (id === undefined) stray ??= error;
      else faults.set(id, error);
    }
  }
  return { found, faults, stray };
}

/** Whose element it is that could not be decoded, if it says so. */
function idOfGarbage<Out>(key: (element: Out) => string | number, element: unknown): string | undefined {
  try {
    // Not an `Out`, which is why this may throw.
    const id: unknown = key(element as Out);
    return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined;
  } catch {
    return undefined;
  }
}
