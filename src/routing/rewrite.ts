import { splitTarget } from './request-path.ts';
import type { PathPattern } from './path-pattern.ts';
import { pairsOf, queryNameOf, withoutNames, type QueryName } from './query-names.ts';

/** Makes the path and query that the upstream gets. */
export interface Rewrite {
  /** What it takes from the beginning of every path. */
  readonly prefix?: string;
  /** @param params percent-encoded values of the parameters, in the order of the pattern. */
  apply(path: string, query: string, params: readonly string[]): string;
}

const PLACEHOLDER = /\{([A-Za-z_][A-Za-z0-9_]*|\*)\}/g;

/**
 * Compiles the `rewrite` of a route: a prefix to strip, or a template with parameters in path and query.
 *
 * @throws {Error} when the prefix is not one of the pattern's, or a placeholder has no parameter.
 */
export function compileRewrite(
  options: { readonly stripPrefix?: string | undefined; readonly path?: string | undefined } | undefined,
  pattern: PathPattern,
): Rewrite | undefined {
  if (options?.path !== undefined) return template(options.path, pattern);
  if (options?.stripPrefix !== undefined) return stripPrefix(options.stripPrefix, pattern);
  return undefined;
}

function stripPrefix(prefix: string, pattern: PathPattern): Rewrite {
  const bare = prefix.replace(/\/+$/, '');
  if (!bare.startsWith('/') || /[{}*?#]/.test(bare)) {
    throw new Error(`expected a literal prefix that starts with "/", got "${prefix}"`);
  }
  const source = pattern.source;
  if (source !== bare && !source.startsWith(`${bare}/`)) {
    throw new Error(`expected a prefix of "${source}", got "${prefix}"`);
  }
  return { prefix: bare, apply: (path, query) => (path.slice(bare.length) || '/') + query };
}

function template(text: string, pattern: PathPattern): Rewrite {
  if (!text.startsWith('/')) throw new Error(`expected a path that starts with "/", got "${text}"`);
  if (/[^\x21-\x7e]|#/.test(text))
    throw new Error(`expected a percent-encoded path and query, got "${text}"`);
  const { path, query } = splitTarget(text);
  const fillPath = compileTemplate(path, pattern, (value) => value);
  // A value may hold what is harmless in a path but separates pairs in a query.
  const fillQuery = compileTemplate(query, pattern, (value) =>
    value.replace(/[&=+?#;]/g, encodeURIComponent),
  );
  const fixed = hasFixedNames(query) ? namesOf(query) : undefined;
  return {
    apply(_path, clientQuery, params) {
      const own = fillQuery(params);
      if (clientQuery === '') return fillPath(params) + own;
      if (own === '') return fillPath(params) + clientQuery;
      // The template has the last word: a second pair of its name could override what was matched and authorized.
      const names = fixed ?? namesOf(own);
      let others = '';
      for (const pair of pairsOf(clientQuery)) {
        const left = withoutNames(pair, names);
        if (left !== undefined) others += `&${left}`;
      }
      return fillPath(params) + own + others;
    },
  };
}

function hasFixedNames(query: string): boolean {
  return !pairsOf(query).some((pair) => /^[^=]*\{|;[^=]*\{/.test(pair));
}

function namesOf(query: string): QueryName[] {
  return pairsOf(query).flatMap((pair) => pair.split(';').map(queryNameOf));
}

function compileTemplate(
  text: string,
  pattern: PathPattern,
  encode: (value: string) => string,
): (params: readonly string[]) => string {
  const literals: string[] = [];
  const indexes: number[] = [];
  let end = 0;
  for (const match of text.matchAll(PLACEHOLDER)) {
    const index = pattern.parameters.indexOf(match[1] ?? '');
    if (index < 0) {
      throw new Error(`the placeholder ${match[0]} has no parameter of that name in "${pattern.source}"`);
    }
    literals.push(text.slice(end, match.index));
    indexes.push(index);
    end = match.index + match[0].length;
  }
  const last = text.slice(end);
  return (params) =>
    literals.reduce((out, literal, i) => out + literal + encode(params[indexes[i] ?? 0] ?? ''), '') + last;
}
