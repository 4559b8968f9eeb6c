import type { Exchange } from '../exchange/exchange.ts';
import { Untold } from './bounded-value.ts';

type Pattern = NonNullable<Exchange['route']>['pattern'];

/**
 * The path parameters of an exchange by name, decoded.
 *
 * @throws {Untold} for one that cannot be decoded: two servers could read it differently.
 */
export function paramsOf({ route, params, path }: Exchange): ReadonlyMap<string, string> {
  const names = route?.pattern.parameters ?? [];
  if (route === undefined || names.length === 0) return NONE;
  // At a controller Fastify has matched the path, and nobody has noted its parameters.
  const values = route.door === 'handler' ? valuesAlong(route.pattern, path) : params;
  return namedValues(names, values);
}

/**
 * Values by name, decoded.
 *
 * @throws {Untold} like {@link paramsOf}.
 */
export function namedValues(
  names: readonly string[],
  values: readonly string[],
): ReadonlyMap<string, string> {
  return new Map(names.map((name, at) => [name, decoded(values[at] ?? '')]));
}

const NONE: ReadonlyMap<string, string> = new Map();

function valuesAlong({ segments, wildcard }: Pattern, path: string): readonly string[] {
  const texts = path.slice(1).split('/');
  const values = segments.flatMap(({ kind }, at) => (kind === 'parameter' ? [texts[at] ?? ''] : []));
  return wildcard ? [...values, texts.slice(segments.length).join('/')] : values;
}

function decoded(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Untold('a path parameter cannot be decoded');
  }
}
