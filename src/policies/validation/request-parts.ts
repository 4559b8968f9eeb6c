import type { Exchange } from '../../exchange/exchange.ts';
import type { CompiledSchema } from './schema-compiler.ts';
import type { Decode, RawPairs } from './parameter-styles.ts';

/** What is checked of a request. */
export type PartName = 'params' | 'query' | 'headers' | 'cookies' | 'body';

/** Where parameters of an API description stand. */
export type ParameterPart = Exclude<PartName, 'body'>;

/** The schemas of its parts; what is absent is not looked at. */
export type Parts = { readonly [Name in PartName]?: CompiledSchema | undefined };

/** What a place has, as it was written, and how its values are decoded. */
export interface Pairs {
  readonly pairs: RawPairs;
  readonly decode: Decode;
}

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
  names.forEach((name, at) => (fields[name] = decodedPart(values[at] ?? '')));
  return fields;
}

/** What one place of a request has. @param values of path parameters, by their names. */
export function pairsAt(part: ParameterPart, { query, request }: Exchange, values: RawPairs): Pairs {
  switch (part) {
    case 'params':
      return { pairs: values, decode: decodedPart };
    case 'query':
      return { pairs: queryPairs(query), decode: decodedField };
    case 'headers':
      return { pairs: headerPairs(request.headers), decode: asWritten };
    case 'cookies':
      return { pairs: cookiePairs(request.headers.cookie ?? ''), decode: decodedPart };
  }
}

/** The query comes with its question mark. */
function queryPairs(query: string): RawPairs {
  return query
    .slice(1)
    .split('&')
    .filter((one) => one !== '')
    .map((one) => {
      const [name, value] = splitOnce(one, '=');
      return [decodedField(name), value] as const;
    });
}

function headerPairs(headers: Exchange['request']['headers']): RawPairs {
  return Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
}

function cookiePairs(field: string): RawPairs {
  return field
    .split(';')
    .filter((one) => one.trim() !== '')
    .map((one) => {
      const [name, value] = splitOnce(one, '=');
      return [name.trim(), value.trim()] as const;
    });
}

function splitOnce(text: string, sign: string): readonly [string, string] {
  const at = text.indexOf(sign);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

const asWritten: Decode = (text) => text;

/** As forms are written: a plus sign is a space. */
function decodedField(text: string): string {
  return decodedPart(text.replaceAll('+', ' '));
}

function decodedPart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
