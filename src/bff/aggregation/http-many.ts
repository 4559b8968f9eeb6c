import type { BatchAnswer, BatchPlan } from '../../calls/call-plan.ts';
import type { CallContext, Transports } from '../../calls/call.ts';
import { Problem } from '../../problems/problem.ts';
import { PlainFault } from '../../telemetry/error-facts.ts';
import { TemplateError } from '../../templates/template-fault.ts';
import type { BatchKeys } from './aggregate.schema.ts';
import type { TemplateScope } from '../../templates/template-scope.ts';
import { compileTarget, requiredValue, type RequestTarget } from './request-target.ts';
import { readPath, textOf } from '../../templates/value-path.ts';
import type { ValueNames, ValueSource } from '../../templates/value-source.ts';

/** What a call over HTTP asks for: by itself, and together with others. */
export interface HttpInput {
  /** Path and query of the call by itself. */
  readonly path: string;
  readonly id: string;
  /** Path and query of the request for many, with `{ids}` where they go; no value has a brace, for all are encoded. */
  readonly many: string;
}

/** The ids operation of a call over HTTP, compiled. */
export interface HttpMany {
  /** What of the input the request for many needs. @throws {Problem} when a value is missing. */
  readonly of: (scope: TemplateScope) => Omit<HttpInput, 'path'>;
}

const IDS = '{ids}';

/**
 * Compiles the `path` of a `batch`: with `{ids}` once in its query, and with the values of the call but one, which is the id.
 *
 * @throws {TemplateError} otherwise.
 */
export function compileHttpMany(path: string, target: RequestTarget, names: ValueNames): HttpMany {
  const [before = '', after, ...more] = path.split(IDS);
  if (after === undefined || more.length > 0 || !before.includes('?'))
    throw new TemplateError(`expected {ids} once, in the query, such as /users?ids={ids}; got "${path}"`);
  const parts = [before, after].map((part, index) => compilePart(part, index, names));
  const given = parts.flatMap(({ sources }) => sources.map(({ text }) => text));
  if (target.sources.length === 0) throw new TemplateError('expected a value in `path` of the call: the id');
  const [id, ...others] = target.sources.filter(({ text }) => !given.includes(text));
  const stray = given.find((text) => target.sources.every((source) => source.text !== text));
  if (stray !== undefined)
    throw new TemplateError(`expected only values that \`path\` of the call has too, got {${stray}}`, {
      given: stray,
      known: target.sources.map(({ text }) => text),
    });
  if (id === undefined || others.some(({ text }) => text !== id.text))
    throw new TemplateError(
      'expected all values that `path` of the call has, but for the one that is the id',
    );
  return { of: (scope) => ({ id: idOf(id, scope), many: parts.map((part) => part.fill(scope)).join(IDS) }) };
}

// What follows the ids is of the query, too: compiled as such, and cut off again.
function compilePart(
  text: string,
  index: number,
  names: ValueNames,
): Pick<RequestTarget, 'sources' | 'fill'> {
  if (index === 0) return compileTarget(text, names);
  const { sources, fill } = compileTarget(`/?${text}`, names);
  return { sources, fill: (scope) => fill(scope).slice(2) };
}

function idOf(source: ValueSource, scope: TemplateScope): string {
  return textOf(requiredValue(source, scope)) ?? '';
}

/** Makes a GET of the upstream of the call. */
export type ReadJson = (transports: Transports, path: string, context: CallContext) => Promise<unknown>;

/** Makes the plan of the ids operation. */
export function planHttpMany(
  { items, key, as, max, path = '' }: BatchKeys,
  read: ReadJson,
): BatchPlan<HttpInput, unknown> {
  const [list, steps] = [items?.split('.') ?? [], key.split('.')];
  return Object.freeze({
    operation: `GET ${path}`,
    max,
    groupOf: ({ many }: HttpInput) => many,
    idOf: ({ id }: HttpInput) => id,
    // An id with a comma would be read as two; it travels alone, in the path.
    joins: (id: string) => !id.includes(','),
    load: async (transports, inputs, context) => {
      const ids = inputs.map(({ id }) => encodeURIComponent(id)).join(',');
      const [first] = inputs as [HttpInput];
      const answer = await read(
        transports,
        first.many.replace(IDS, () => ids),
        context,
      );
      return sortOut(readPath(answer, list), steps, as);
    },
  } satisfies BatchPlan<HttpInput, unknown>);
}

function sortOut(elements: unknown, steps: readonly string[], as: string | undefined): BatchAnswer<unknown> {
  if (!Array.isArray(elements)) throw invalid('the answer for many ids has no list (batch.items)');
  const found = new Map<string, unknown>();
  let stray: Problem | undefined;
  for (const element of elements) {
    const id = textOf(readPath(element, steps));
    if (id === undefined) stray ??= invalid('an element of the answer for many ids has no id (batch.key)');
    else if (!found.has(id)) found.set(id, as === undefined ? element : { [as]: element });
  }
  return { found, faults: new Map(), stray };
}

function invalid(what: string): Problem {
  return new Problem('upstream-response-invalid', { cause: new PlainFault(what) });
}
