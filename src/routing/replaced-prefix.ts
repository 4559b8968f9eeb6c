import type { Exchange } from '../exchange/exchange.ts';
import { compileTemplate, type Template } from '../templates/template.ts';
import { TemplateError } from '../templates/template-fault.ts';
import { below } from './below.ts';
import type { PathPattern } from './path-pattern.ts';
import type { RewriteOptions } from './rewrite.schema.ts';
import { IN_PATH, parseTarget } from './target-template.ts';

/** Makes the path that takes the place of that of a request. */
export interface NewPath {
  /** What was taken from its beginning, where nothing has come in its place. */
  readonly prefix: string | undefined;
  readonly templates: readonly Template[];
  pathOf(exchange: Exchange): string;
}

/**
 * Compiles `stripPrefix` and `replacePrefix`; undefined for neither.
 *
 * @throws {ActionError} when it is no prefix of the pattern.
 */
export function compilePrefix(
  { stripPrefix, replacePrefix }: Pick<RewriteOptions, 'stripPrefix' | 'replacePrefix'>,
  pattern: PathPattern,
): NewPath | undefined {
  if (stripPrefix !== undefined)
    return below(['stripPrefix'], () => strip(literalPrefix(stripPrefix, pattern)));
  if (replacePrefix === undefined) return undefined;
  return below(['replacePrefix'], () => {
    if (typeof replacePrefix === 'string') {
      const depth = matchedDepth(pattern);
      const prefix = literalOf(pattern);
      return replace(replacePrefix, { pattern, prefix, restOf: (path) => afterSegments(path, depth) });
    }
    const from = below(['from'], () => literalPrefix(replacePrefix.from, pattern));
    const restOf = (path: string): string => path.slice(from.length);
    return below(['to'], () => replace(replacePrefix.to, { pattern, prefix: from, restOf }));
  });
}

function strip(prefix: string): NewPath {
  return { prefix, templates: [], pathOf: ({ path }) => path.slice(prefix.length) || '/' };
}

interface Replaced {
  readonly pattern: PathPattern;
  /** The prefix; undefined where it is another one for each request. */
  readonly prefix: string | undefined;
  /** What is left of a path: nothing, or what starts with a slash. */
  restOf(path: string): string;
}

function replace(to: string, { pattern, prefix, restOf }: Replaced): NewPath {
  const bare = to.replace(/\/+$/, '');
  if (bare === '') return { prefix, templates: [], pathOf: ({ path }) => restOf(path) || '/' };
  const { path, query } = parseTarget(bare);
  if (query.literals.join('') !== '') throw new TemplateError(`expected no query in a prefix, got "${to}"`);
  const template = compileTemplate(
    path,
    { parameters: pattern.parameters.filter((name) => name !== '*') },
    IN_PATH,
  );
  return {
    prefix: undefined,
    templates: [template],
    pathOf: (exchange) => template.fill(exchange) + restOf(exchange.path),
  };
}

function literalPrefix(prefix: string, { source }: PathPattern): string {
  const bare = prefix.replace(/\/+$/, '');
  if (!bare.startsWith('/') || /[{}*?#]/.test(bare))
    throw new TemplateError(`expected a literal prefix that starts with "/", got "${prefix}"`);
  if (source !== bare && !source.startsWith(`${bare}/`))
    throw new TemplateError(`expected a prefix of "${source}", got "${prefix}"`);
  return bare;
}

function literalOf({ segments }: PathPattern): string | undefined {
  if (segments.some(({ kind }) => kind === 'parameter')) return undefined;
  return (
    segments.map((segment) => (segment.kind === 'literal' ? `/${segment.text}` : '')).join('') || undefined
  );
}

/** How many segments the pattern has before its `*`. */
function matchedDepth({ wildcard, verb, segments, source }: PathPattern): number {
  if (wildcard && verb === undefined) return segments.length;
  throw new TemplateError(
    `expected a match.path that ends in "/*", got "${source}"; { from, to } names a literal prefix`,
  );
}

function afterSegments(path: string, depth: number): string {
  let at = 0;
  for (let i = 0; i < depth; i += 1) at = path.indexOf('/', at + 1);
  return at < 0 ? '' : path.slice(at);
}
