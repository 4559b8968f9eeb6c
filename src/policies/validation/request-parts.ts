import type { Exchange } from '../../exchange/exchange.ts';
import type { CompiledSchema } from './schema-compiler.ts';

/** What is checked of a request. */
export type PartName = 'params' | 'query' | 'headers' | 'body';

/** The schemas of its parts; what is absent is not looked at. */
export type Parts = { readonly [Name in PartName]?: CompiledSchema | undefined };

/** The query as an object: a text for each name, a list for one that stands several times. */
export function queryOf({ query }: Exchange): Record<string, unknown> {
  const fields = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of new URLSearchParams(query)) {
    const before = fields[name];
    if (before === undefined) fields[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else fields[name] = [before, value];
  }
  return fields;
}

/** Path parameters as an object; one that cannot be decoded stays as it was written. */
export function paramsOf(names: readonly string[], values: readonly string[]): Record<string, unknown> {
  const fields = Object.create(null) as Record<string, unknown>;
  names.forEach((name, at) => (fields[name] = decoded(values[at] ?? '')));
  return fields;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
