import type { Exchange } from '../exchange/exchange.ts';
import { parseTemplate, type ParsedTemplate } from '../templates/parse-template.ts';
import type { SourceNames } from '../templates/source.ts';
import { compileTemplate, type Template } from '../templates/template.ts';
import { below } from './below.ts';
import { mayBeOne, pairsOf, queryNameOf, withoutNames, type QueryName } from '../exchange/query-names.ts';
import type { QueryEditOptions } from './rewrite.schema.ts';
import { IN_QUERY } from './target-template.ts';

/** Edits of the query of one route, compiled. */
export interface QueryEdits {
  readonly templates: readonly Template[];
  /** What is left of a query without its `?`, in the order in which it came, and what is set and added after that. */
  apply(query: string, exchange: Exchange): string;
}

interface Rename {
  readonly from: QueryName;
  /** Percent-encoded. */
  readonly to: string;
}

/**
 * Compiles edits of a query: parameters are renamed and removed, in whatever spelling, then set, then added.
 *
 * @throws {ActionError} for a value that names nothing.
 */
export function compileQueryEdits(options: QueryEditOptions, names: SourceNames): QueryEdits {
  const { set = {}, add = {}, rename = {}, remove = [] } = options;
  const renames = Object.entries(rename)
    .filter(([, to]) => !Object.hasOwn(set, to))
    .map(([from, to]) => ({ from: nameOf(from), to: encodeURIComponent(to) }));
  const lost = Object.keys(rename).filter((from) => Object.hasOwn(set, rename[from] ?? ''));
  const gone = [...Object.keys(set), ...remove, ...lost, ...renames.map(({ to }) => decodeURIComponent(to))];
  const dropped = gone.map(nameOf);
  const compile = (key: 'set' | 'add', fields: Readonly<Record<string, string>>) =>
    Object.entries(fields).map(([name, text]) =>
      below([key, name], () => ({
        name: encodeURIComponent(name),
        value: compileTemplate(withEncodedLiterals(text), names, IN_QUERY),
      })),
    );
  const own = [...compile('set', set), ...compile('add', add)];
  return {
    templates: own.map(({ value }) => value),
    apply(query, exchange) {
      let edited = '';
      for (const pair of pairsOf(query)) {
        const left = editedPair(pair, renames, dropped);
        if (left !== undefined) edited += edited === '' ? left : `&${left}`;
      }
      for (const { name, value } of own)
        edited += `${edited === '' ? '' : '&'}${name}=${value.fill(exchange)}`;
      return edited;
    },
  };
}

function withEncodedLiterals(text: string): ParsedTemplate {
  const { literals, placeholders } = parseTemplate(text);
  return { literals: literals.map((literal) => encodeURIComponent(literal.toWellFormed())), placeholders };
}

// A bracket is a part of the name here as it is in a query: `ids[]` is a list of `ids`.
function nameOf(name: string): QueryName {
  return queryNameOf(encodeURIComponent(name));
}

function editedPair(
  pair: string,
  renames: readonly Rename[],
  dropped: readonly QueryName[],
): string | undefined {
  if (renames.length === 0) return withoutNames(pair, dropped);
  const parts = pair.split(';').flatMap((part) => {
    const renamed = renamedPart(part, renames);
    return renamed ?? withoutNames(part, dropped) ?? [];
  });
  return parts.length === 0 ? undefined : parts.join(';');
}

/** Keeps what a name says beyond itself: an index, or an empty bracket. */
function renamedPart(part: string, renames: readonly Rename[]): string | undefined {
  const name = queryNameOf(part);
  const rename = renames.find(({ from }) => from.length <= name.length && mayBeOne(from, name));
  if (rename === undefined) return undefined;
  const equals = part.indexOf('=');
  const [written, value] = equals < 0 ? [part, ''] : [part.slice(0, equals), part.slice(equals)];
  const bracket = rename.from.length === 1 ? written.search(/\[|%5b/i) : -1;
  return rename.to + (bracket > 0 ? written.slice(bracket) : '') + value;
}
