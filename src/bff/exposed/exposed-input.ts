import { z } from 'zod';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import type { ExposedOptions } from '../exposed-view.ts';

const anyText = z.string().min(1);

/** The names of the parameters in a path, in its order. */
export function parameterNames(path: string): readonly string[] {
  return [...path.matchAll(/\{(?<name>[^}]*)\}/g)].map(({ groups }) => groups?.['name'] ?? '');
}

/** The schema of a parameter. */
export function parameterSchema({ params = {} }: ExposedOptions, name: string): z.ZodType<string> {
  return params[name] ?? anyText;
}

/**
 * Makes the input of a view of what it is asked with, the same over REST and GraphQL.
 *
 * @param values of the parameters, in the order of the path.
 * @param query what its parameters say, checked. Default nothing.
 * @throws {Problem} `request-invalid` naming each parameter that is wrong, and whatever `input` throws.
 */
export function inputOf(
  options: ExposedOptions,
  exchange: Exchange,
  values: readonly unknown[],
  query: Readonly<Record<string, unknown>> = {},
): unknown {
  const params: Record<string, string> = {};
  const errors: { parameter: string; detail: string }[] = [];
  parameterNames(options.rest).forEach((parameter, index) => {
    const result = parameterSchema(options, parameter).safeParse(values[index]);
    if (result.success) params[parameter] = result.data;
    else errors.push({ parameter, detail: result.error.issues.map(({ message }) => message).join('; ') });
  });
  if (errors.length > 0) {
    const detail = errors.map((one) => `${one.parameter}: ${one.detail}`).join('\n');
    throw new Problem('request-invalid', { detail, extensions: { errors } });
  }
  return options.input === undefined ? { ...params, ...query } : options.input({ params, query, exchange });
}
