import type { Exchange } from '../exchange/exchange.ts';
import type { Source, SourceNames } from '../templates/source.ts';
import { compileTemplate, type Template } from '../templates/template.ts';
import { below } from './below.ts';
import type { PathPattern } from './path-pattern.ts';
import { compileQueryEdits, type QueryEdits } from './query-edits.ts';
import { pairsOf, queryNameOf, withoutNames, type QueryName } from '../exchange/query-names.ts';
import { compilePrefix, type NewPath } from './replaced-prefix.ts';
import type { RewriteOptions } from './rewrite.schema.ts';
import { IN_PATH, IN_QUERY, parseTarget } from './target-template.ts';
import type { ParsedTemplate } from '../templates/parse-template.ts';

/** Makes the path and query that the upstream gets. */
export interface Rewrite {
  /** What it takes from the beginning of every path. */
  readonly prefix?: string | undefined;
  /** Whether more than path and query of the request decides about what it makes. */
  readonly isTelling: boolean;
  /**
   * @param query what goes along of the client's query, with its `?`. Default all of it.
   * @throws {Problem} for a value that is missing, or would mean something else in its place.
   */
  apply(exchange: Exchange, query?: string): string;
}

/**
 * Compiles the `rewrite` of a route: a prefix to strip or to replace, or a template of path and query; and edits of the query.
 *
 * @throws {ActionError} when the prefix is not one of the pattern's, or a placeholder has no value.
 */
export function compileRewrite(
  options: RewriteOptions | undefined,
  pattern: PathPattern,
): Rewrite | undefined {
  if (options === undefined) return undefined;
  const names: SourceNames = { parameters: pattern.parameters };
  const { path, query: queryEdits } = options;
  const target = path === undefined ? undefined : below(['path'], () => compileTarget(path, names));
  const moved = target ?? compilePrefix(options, pattern);
  const edits = queryEdits && below(['query'], () => compileQueryEdits(queryEdits, names));
  if (moved === undefined && edits === undefined) return undefined;
  const pathOf = moved?.pathOf ?? ((exchange: Exchange) => exchange.path);
  const apply: Rewrite['apply'] =
    target !== undefined
      ? (exchange, query = exchange.query) =>
          pathOf(exchange) + target.queryOf(exchange, editedQuery(edits, exchange, query))
      : (exchange, query = exchange.query) => pathOf(exchange) + editedQuery(edits, exchange, query);
  const templates = [...(moved?.templates ?? []), ...(edits?.templates ?? [])];
  return { prefix: moved?.prefix, isTelling: templates.some(isTelling), apply };
}

/** Whether a template takes what path and query of a request do not tell. */
export function isTelling({ sources }: Pick<Template, 'sources'>): boolean {
  return sources.some(({ of }: Source) => of !== 'uri' && of !== 'route' && of !== 'exchange');
}

function editedQuery(edits: QueryEdits | undefined, exchange: Exchange, query: string): string {
  if (edits === undefined) return query;
  const edited = edits.apply(query, exchange);
  return edited === '' ? '' : `?${edited}`;
}

interface Target extends NewPath {
  /** @param clientQuery with its `?`, or empty. */
  queryOf(exchange: Exchange, clientQuery: string): string;
}

function compileTarget(text: string, names: SourceNames): Target {
  const { path, query } = parseTarget(text);
  const inPath = compileTemplate(path, names, IN_PATH);
  const inQuery = compileTemplate(query, names, IN_QUERY);
  const fixed = fixedNames(query);
  return {
    prefix: undefined,
    templates: [inPath, inQuery],
    pathOf: (exchange) => inPath.fill(exchange),
    queryOf(exchange, clientQuery) {
      const own = inQuery.fill(exchange);
      if (clientQuery === '' || own === '') return own + clientQuery;
      return own + withoutOwn(clientQuery, fixed ?? namesOf(own));
    },
  };
}

// The template has the last word: a second pair of its name could override what was matched and authorized.
function withoutOwn(clientQuery: string, names: readonly QueryName[]): string {
  let others = '';
  for (const pair of pairsOf(clientQuery)) {
    const left = withoutNames(pair, names);
    if (left !== undefined) others += `&${left}`;
  }
  return others;
}

/** The names of a template whose values are only values; undefined where a name has one in it. */
function fixedNames({ literals, placeholders }: ParsedTemplate): QueryName[] | undefined {
  // A brace is in no literal.
  const text = literals.slice(1).reduce((out, literal) => `${out}{}${literal}`, literals[0] ?? '');
  const isInName = (pair: string): boolean => /^[^=]*\{|;[^=]*\{/.test(pair);
  return placeholders.length > 0 && pairsOf(text).some(isInName) ? undefined : namesOf(text);
}

function namesOf(query: string): QueryName[] {
  return pairsOf(query).flatMap((pair) => pair.split(';').map(queryNameOf));
}
